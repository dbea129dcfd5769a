// HTTP/1.1 to one endpoint, over a pool of persistent connections.
#pragma once

#include <memory>
#include <optional>

#include "base/async.h"
#include "base/clock.h"
#include "http/endpoint.h"
#include "http/message.h"
#include "http/name_lookup.h"
#include "http/proxy.h"
#include "http/timeouts.h"
#include "http/tls_settings.h"
#include "http/transport_error.h"

namespace everyitem::http {

/// Used from one event loop. There are as many open connections as calls in flight; the caller
/// bounds these. Destroy it only when no call is in flight. Idle connections have no work on the
/// event loop, so they do not keep it running.
class Client {
 public:
  /// All timeouts are measured on `clock`, which outlives the client. `tls` may be null for an
  /// endpoint without TLS. If there is a `proxy`, every connection goes through it; its credentials
  /// are sent only to the proxy. `names` outlives the client.
  Client(asio::any_io_executor executor, Clock& clock, Endpoint endpoint,
         std::shared_ptr<const TlsSettings> tls, Timeouts timeouts = {},
         std::optional<Proxy> proxy = {}, NameLookup& names = process_names());
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// Sends the request and reads the complete response, whatever its status. An idle connection
  /// that the server has closed is silently replaced if no byte of a response has arrived. In rare
  /// cases the server therefore handles a request twice: send only requests that may be repeated.
  /// Throws TransportError; boost::system::system_error(operation_aborted) when cancelled, which
  /// also closes the connection.
  Awaitable<Response> send(const Request& request);

  const Endpoint& endpoint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::http
