// Requests to a proxy, and the meaning of its responses.
#pragma once

#include <string>

#include "http/endpoint.h"
#include "http/proxy.h"
#include "http/transport_error.h"

namespace everyitem::http {

inline constexpr int kProxyAuthenticationRequired = 407;

/// The header line with the proxy's credentials, or nothing.
std::string authorization_line(const Proxy& proxy);

/// The head of the request for a tunnel to the endpoint (RFC 9110, section 9.3.6).
std::string connect_request(const Proxy& proxy, const Endpoint& endpoint);

/// Why the proxy responded with the error `status`, and what to do about it.
TransportError refusal(const Proxy& proxy, int status);

}  // namespace everyitem::http
