// The endpoints of AWS services in a region.
#pragma once

#include <optional>
#include <string_view>

#include "http/endpoint.h"

namespace everyitem::aws {

/// Selects among the endpoints of a service.
struct EndpointVariant {
  bool fips = false;        ///< FIPS 140 validated cryptography
  bool dual_stack = false;  ///< both IPv4 and IPv6 addresses
};

/// For the user who gave none.
inline constexpr std::string_view kRegionExample = "Give one such as us-east-1.";

/// Whether a region can have this name. There are more regions than anyone could list here.
bool may_be_region(std::string_view text);

/// The service's own endpoint in a region: https://SERVICE.REGION.SUFFIX, with the suffix of
/// the region's partition. `service` is the endpoint prefix: "dynamodb", "portal.sso".
/// Every partition has every variant.
http::Endpoint regional_endpoint(std::string_view service, std::string_view region,
                                 EndpointVariant variant = {});

/// The endpoint of DynamoDB or Kinesis for the resources of one account:
/// https://ACCOUNT.NAME.REGION.SUFFIX, where `name` is ServiceModel::account_endpoint. Nothing
/// if there is none: DynamoDB has them in the large partitions and not with FIPS, Kinesis
/// everywhere but in two isolated partitions. Throws a usage error, which does not show it, if the
/// account cannot be part of a host name.
std::optional<http::Endpoint> account_endpoint(std::string_view name, std::string_view account,
                                               std::string_view region,
                                               EndpointVariant variant = {});

}  // namespace everyitem::aws
