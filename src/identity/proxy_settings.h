// Which proxy an endpoint is reached through: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
#pragma once

#include <optional>
#include <string_view>

#include "base/environment.h"
#include "http/endpoint.h"
#include "http/proxy.h"

namespace everyitem::identity {

/// Nothing where the endpoint is called directly. https_proxy, then HTTPS_PROXY, for an endpoint
/// with TLS, http_proxy, then HTTP_PROXY, for one without: the order of curl and botocore. As with
/// botocore, only NO_PROXY exempts, loopback addresses too. Throws what http::parse_proxy throws.
std::optional<http::Proxy> resolve_proxy(const http::Endpoint& endpoint,
                                         const Environment& environment);

/// Whether `no_proxy`, the value of NO_PROXY, exempts the endpoint: a list of names (with all below
/// them, with or without a leading dot or "*."), addresses and ranges of addresses (10.0.0.0/8),
/// each with a port where only that is meant, or "*" for all. Names are not looked up for ranges.
bool is_exempt(const http::Endpoint& endpoint, std::string_view no_proxy);

}  // namespace everyitem::identity
