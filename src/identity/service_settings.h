// The endpoint and region of a service, from flags, ARNs, environment and profile, in the order of
// the AWS tools.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/client.h"
#include "base/environment.h"
#include "http/endpoint.h"
#include "http/proxy.h"
#include "identity/profile.h"

namespace everyitem::identity {

/// The user's flags for one service. Empty means not given.
struct ServiceFlags {
  std::string region;                ///< --region
  std::string arn_region;            ///< region in the table's or stream's ARN
  std::string endpoint_url;          ///< --endpoint-url
  std::string fallback_region = {};  ///< if nothing else gives one
  std::string arn_account = {};      ///< account in the table's or stream's ARN
  std::string account_id = {};       ///< the account of the credentials, once it is known
  bool insecure_http = false;        ///< --insecure-http: allow plain HTTP to other machines
};

struct ServiceSettings {
  std::string region;  ///< also used in signatures
  http::Endpoint endpoint;
  std::optional<http::Proxy> proxy = {};  ///< the proxy to use for the endpoint
};

/// The region the user has configured in any way; empty if none.
std::string configured_region(const ServiceFlags& flags, const Profile& profile,
                              const Environment& environment);

/// Region: --region, the ARN's, AWS_REGION, AWS_DEFAULT_REGION, the profile's. A pseudo-region such
/// as "fips-us-east-1" means that region with FIPS. STS does not need a region: it has a global
/// endpoint, which AWS_STS_REGIONAL_ENDPOINTS=legacy selects for the regions that existed before
/// regional endpoints. Endpoint: --endpoint-url, AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, the
/// profile's `services` section, the profile's endpoint_url, the service's endpoint in the region:
/// the one for the account if that is known and AWS_ACCOUNT_ID_ENDPOINT_MODE (or the profile) does
/// not disable it, otherwise the standard one; in the variant that AWS_USE_FIPS_ENDPOINT and
/// AWS_USE_DUALSTACK_ENDPOINT or the profile select. With
/// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true only the first and the last. Proxy: resolve_proxy.
/// Throws a usage error if there is no region, if a setting is invalid, if the mode is "required"
/// and there is no endpoint for an account, and if an endpoint is neither HTTPS nor on this
/// machine, unless `flags` allow it.
ServiceSettings resolve_service(const aws::ServiceModel& model, const ServiceFlags& flags,
                                const Profile& profile, const Environment& environment);

/// Whether the account of the credentials would change the endpoint.
bool depends_on_account(const aws::ServiceModel& model, const ServiceFlags& flags,
                        const Profile& profile, const Environment& environment);

/// Throws a usage error if AWS_MAX_ATTEMPTS, AWS_RETRY_MODE or their settings in the profile are
/// ones that botocore refuses. Beyond that they have no effect: --max-wait says how long is
/// retried.
void check_retry_settings(const Profile& profile, const Environment& environment);

/// The PEM file with the certificates to trust instead of the system's: AWS_CA_BUNDLE, the
/// profile's ca_bundle, or empty.
std::string resolve_ca_bundle(const Profile& profile, const Environment& environment);

}  // namespace everyitem::identity
