// Why an exchange failed below HTTP.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace everyitem::http {

/// The exchange failed below HTTP. `what()` says how, in words for the user, without the request.
class TransportError : public std::runtime_error {
 public:
  enum class Cause {
    resolve,  ///< the host has no address
    connect,  ///< refused, unreachable, interrupted, or not completed within the connect timeout
    tls,      ///< handshake failed: invalid certificate or host name, or old protocol
    proxy,    ///< the proxy cannot be reached, or failed to reach the endpoint
    proxy_refused,  ///< the proxy rejected the caller
    not_local,      ///< plain HTTP that may not leave this machine would have
    idle,           ///< no data for the idle timeout, or too little
    closed,         ///< the connection closed before the response was complete
    bad_response,   ///< the response is not HTTP, or is too large
    encoded         ///< the response is compressed
  };

  TransportError(Cause cause, bool request_sent, const std::string& message, std::string hint = {})
      : std::runtime_error(message),
        cause_(cause),
        request_sent_(request_sent),
        hint_(std::move(hint)) {}

  Cause cause() const noexcept { return cause_; }
  /// Whether the server may have acted on the request: false if no byte of it can have arrived.
  bool request_sent() const noexcept { return request_sent_; }
  /// What to do about it, if known; otherwise empty.
  const std::string& hint() const noexcept { return hint_; }

 private:
  Cause cause_;
  bool request_sent_;
  std::string hint_;
};

}  // namespace everyitem::http
