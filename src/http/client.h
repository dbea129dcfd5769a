// HTTP/1.1 to one endpoint, over a pool of kept-alive connections.
#pragma once

#include <memory>
#include <optional>

#include "base/async.h"
#include "http/endpoint.h"
#include "http/message.h"
#include "http/proxy.h"
#include "http/timeouts.h"
#include "http/tls_settings.h"
#include "http/transport_error.h"

namespace everyitem::http {

/// Used from one event loop. As many connections are open as calls are under way; the caller
/// bounds those. Destroy it only when no call is under way. Pooled connections have no work on the
/// event loop, so they do not keep it from running out.
class Client {
 public:
  /// `tls` may be null for an endpoint without TLS. Every connection goes through `proxy`, where
  /// there is one; it alone is told its credentials.
  Client(asio::any_io_executor executor, Endpoint endpoint, std::shared_ptr<const TlsSettings> tls,
         Timeouts timeouts = {}, std::optional<Proxy> proxy = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// Sends the request and reads the whole answer, whatever its status. A pooled connection that
  /// the server had closed meanwhile is replaced without a word, as long as not one byte of an
  /// answer came; so a handler may in rare cases run twice: send only what may be repeated.
  /// Throws TransportError; boost::system::system_error(operation_aborted) when cancelled, in which
  /// case the connection is closed.
  Awaitable<Response> send(const Request& request);

  const Endpoint& endpoint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::http
