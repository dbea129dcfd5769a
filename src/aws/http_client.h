// HTTP/1.1 to one endpoint, over a pool of kept-alive connections.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/endpoint.h"
#include "aws/proxy.h"
#include "aws/sigv4.h"
#include "base/async.h"
#include "base/padded_buffer.h"

namespace everyitem::aws {

/// How long to wait for the network. None bounds a whole call: a large answer on a slow line is
/// fine as long as it moves.
struct HttpTimeouts {
  /// Name look-up, TCP, a proxy's tunnel and TLS handshake together.
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds idle{30'000};  ///< without one byte moving in either direction
  /// A pooled connection unused for longer is closed instead of used. Servers close theirs after
  /// 5 s (Node's default) to minutes; one that was closed is noticed too.
  std::chrono::milliseconds keep_alive{60'000};
};

struct HttpRequest {
  std::string_view method = "POST";
  std::string_view target = "/";
  std::vector<Header> headers;  ///< Host and Content-Length are added by the client
  std::string_view body;        ///< borrowed until the call returns
};

struct HttpResponse {
  int status = 0;
  std::vector<Header> headers;
  PaddedBuffer body;
  /// The value of the first header called `name`, compared without case, or an empty view.
  std::string_view header(std::string_view name) const&;
  std::string_view header(std::string_view name) && = delete;
};

/// The exchange failed below HTTP. `what()` says how, in words for the user, without the request.
class HttpError : public std::runtime_error {
 public:
  enum class Cause {
    resolve,        ///< the host has no address
    connect,        ///< refused, unreachable, broken off, or not done within the connect timeout
    tls,            ///< handshake failed: certificate or host name not valid, protocol too old
    proxy,          ///< the proxy cannot be reached, or failed to reach the endpoint
    proxy_refused,  ///< the proxy does not let the caller through
    idle,           ///< no byte moved for the idle timeout
    closed,         ///< the connection ended before the answer was whole
    bad_response    ///< what came is not HTTP, or larger than allowed
  };

  HttpError(Cause cause, bool request_sent, const std::string& message, std::string hint = {})
      : std::runtime_error(message),
        cause_(cause),
        request_sent_(request_sent),
        hint_(std::move(hint)) {}

  Cause cause() const noexcept { return cause_; }
  /// Whether the server may have acted on the request: false when no byte of it can have arrived.
  bool request_sent() const noexcept { return request_sent_; }
  /// What to do about it, where that is known here; else empty.
  const std::string& hint() const noexcept { return hint_; }

 private:
  Cause cause_;
  bool request_sent_;
  std::string hint_;
};

/// TLS settings of a client, loaded once: protocol 1.2 or later, the certificate chain and the host
/// name are verified, always. Roots: the PEM file `ca_bundle` when not empty, the system's if it
/// is. Throws a usage error that names the file when it cannot be read.
class TlsSettings {
 public:
  explicit TlsSettings(const std::string& ca_bundle = {});
  TlsSettings(const TlsSettings&) = delete;
  TlsSettings& operator=(const TlsSettings&) = delete;
  ~TlsSettings();

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Used from one event loop. As many connections are open as calls are under way; the caller
/// bounds those. Destroy it only when no call is under way. Pooled connections have no work on the
/// event loop, so they do not keep it from running out.
class HttpClient {
 public:
  /// `tls` may be null for an endpoint without TLS. Every connection goes through `proxy`, where
  /// there is one; it alone is told its credentials.
  HttpClient(asio::any_io_executor executor, Endpoint endpoint,
             std::shared_ptr<const TlsSettings> tls, HttpTimeouts timeouts = {},
             std::optional<Proxy> proxy = {});
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  /// Sends the request and reads the whole answer, whatever its status. A pooled connection that
  /// the server had closed meanwhile is replaced without a word, as long as not one byte of an
  /// answer came; so a handler may in rare cases run twice: send only what may be repeated.
  /// Throws HttpError; boost::system::system_error(operation_aborted) when cancelled, in which
  /// case the connection is closed.
  Awaitable<HttpResponse> send(const HttpRequest& request);

  const Endpoint& endpoint() const;

  /// The largest body taken, in bytes. A Scan page is at most 1 MB of DynamoDB's own measure, whose
  /// JSON can be some ten times as large (a one-digit number is 2 bytes there and 9 in JSON).
  static constexpr std::size_t kMaxBodyBytes = 64U << 20;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::aws
