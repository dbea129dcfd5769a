#include "http/tunnel.h"

#include <fmt/format.h>

namespace everyitem::http {

using Cause = TransportError::Cause;

std::string authorization_line(const Proxy& proxy) {
  return proxy.authorization.empty() ? "" : "Proxy-Authorization: " + proxy.authorization + "\r\n";
}

std::string connect_request(const Proxy& proxy, const Endpoint& endpoint) {
  // Always with the port, which can be omitted elsewhere.
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  const std::string target = is_ipv6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
                                     : fmt::format("{}:{}", endpoint.host, endpoint.port);
  return fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", target, target,
                     authorization_line(proxy));
}

TransportError refusal(const Proxy& proxy, int status) {
  if (status == kProxyAuthenticationRequired) {
    return TransportError(
        Cause::proxy_refused, false,
        fmt::format("{} {} (status 407)", proxy.name(),
                    proxy.authorization.empty() ? "requires a user name and a password"
                                                : "does not accept the user name and the password"),
        fmt::format("Give them in {}, as http://USER:PASSWORD@HOST:PORT.", proxy.setting));
  }
  // Failures of the proxy or the endpoint are temporary; a rejection is not.
  const bool failed = status / 100 == 5;
  return TransportError(failed ? Cause::proxy : Cause::proxy_refused, false,
                        fmt::format("{} {} (status {})", proxy.name(),
                                    failed ? "failed to connect to the endpoint"
                                           : "does not allow connections to the endpoint",
                                    status),
                        fmt::format("Check {}; NO_PROXY exempts endpoints.", proxy.setting));
}

}  // namespace everyitem::http
