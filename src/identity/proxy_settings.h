// The proxy for an endpoint: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
#pragma once

#include <optional>
#include <string_view>

#include "base/environment.h"
#include "http/endpoint.h"
#include "http/proxy.h"

namespace everyitem::identity {

/// Nothing if the endpoint is called directly. Uses https_proxy, then HTTPS_PROXY for endpoints
/// with TLS, and http_proxy, then HTTP_PROXY for those without: the order of curl and botocore. As
/// in botocore, only NO_PROXY makes exceptions, even for loopback addresses. Throws what
/// http::parse_proxy throws.
std::optional<http::Proxy> resolve_proxy(const http::Endpoint& endpoint,
                                         const Environment& environment);

/// Whether `no_proxy`, the value of NO_PROXY, exempts the endpoint. It is "*" for all, or a list of
/// names (which include their subdomains, with or without a leading dot or "*."), addresses, and
/// address ranges (10.0.0.0/8), each optionally with a port. Names are not resolved to match
/// ranges.
bool is_exempt(const http::Endpoint& endpoint, std::string_view no_proxy);

}  // namespace everyitem::identity
