// Where and in which region a service is called: from flags, ARNs, environment and profile, in the
// order of the AWS tools.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "http/endpoint.h"
#include "http/proxy.h"
#include "identity/profile.h"

namespace everyitem::identity {

/// What the user gave for one service. Empty when not given.
struct ServiceFlags {
  std::string region;                ///< --region
  std::string arn_region;            ///< of the ARN that names the table or stream
  std::string endpoint_url;          ///< --endpoint-url
  std::string fallback_region = {};  ///< where nothing else gives one
  bool insecure_http = false;        ///< --insecure-http: plain HTTP may leave this machine
};

struct ServiceSettings {
  std::string region;  ///< also the one that requests are signed for
  http::Endpoint endpoint;
  std::optional<http::Proxy> proxy = {};  ///< that the endpoint is reached through
};

/// The region that counts of all that a user can set; empty where none is.
std::string configured_region(const ServiceFlags& flags, const Profile& profile,
                              const Environment& environment);

/// `service` is the endpoint prefix: "dynamodb", "kinesis", "ssm", "lambda", "sts". `settings_name`
/// is what variables and `services` sections call it, where that is another: "sso" for
/// "portal.sso".
/// Region: --region, the ARN's, AWS_REGION, AWS_DEFAULT_REGION, the profile's. A pseudo region such
/// as "fips-us-east-1" is that region with FIPS. STS needs none: it has a global endpoint, which
/// AWS_STS_REGIONAL_ENDPOINTS=legacy chooses for the regions that are older than regional ones.
/// Endpoint: --endpoint-url, AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, the profile's
/// `services` section, the profile's endpoint_url, the region's own, in the
/// variant that AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT or the profile want. With
/// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true only the first and the last.
/// Proxy: resolve_proxy.
/// Throws a usage error when there is no region, for a setting that cannot be, and for an endpoint
/// that is neither HTTPS nor on this machine, unless `flags` allow it.
ServiceSettings resolve_service(std::string_view service, const ServiceFlags& flags,
                                const Profile& profile, const Environment& environment,
                                std::string_view settings_name = {});

/// The PEM file with the certificates to trust instead of the system's: AWS_CA_BUNDLE, the
/// profile's ca_bundle, or empty.
std::string resolve_ca_bundle(const Profile& profile, const Environment& environment);

}  // namespace everyitem::identity
