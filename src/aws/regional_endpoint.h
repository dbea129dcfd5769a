// Where AWS has a service in a region.
#pragma once

#include <string_view>

#include "http/endpoint.h"

namespace everyitem::aws {

/// Which of its endpoints a service is called at.
struct EndpointVariant {
  bool fips = false;        ///< with cryptography validated by FIPS 140
  bool dual_stack = false;  ///< with IPv6 addresses beside those of IPv4
};

/// The service's own endpoint in a region: https://SERVICE.REGION.SUFFIX, where the suffix is the
/// one of the region's partition. `service` is the endpoint prefix: "dynamodb", "portal.sso".
/// Every partition has every variant.
http::Endpoint regional_endpoint(std::string_view service, std::string_view region,
                                 EndpointVariant variant = {});

}  // namespace everyitem::aws
