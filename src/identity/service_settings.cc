#include "identity/service_settings.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "aws/regional_endpoint.h"
#include "base/error.h"
#include "identity/proxy_settings.h"
#include "identity/setting.h"

namespace everyitem::identity {

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return result;
}

/// The value is empty if none is configured.
Setting configured_endpoint_url(std::string_view service, const ServiceFlags& flags,
                                const Profile& profile, const Environment& environment) {
  if (!flags.endpoint_url.empty()) {
    return {setting::kEndpointUrl, flags.endpoint_url};
  }
  if (boolean(setting_of("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls",
                         profile, environment))) {
    return {};
  }
  const std::string of_service = "AWS_ENDPOINT_URL_" + upper(service);
  for (Setting candidate :
       {Setting{of_service, environment(of_service)},
        Setting{"AWS_ENDPOINT_URL", environment("AWS_ENDPOINT_URL")},
        Setting{fmt::format("{} endpoint_url in the services of {}", service, profile.place),
                profile.service_setting(service, "endpoint_url")},
        Setting{"endpoint_url of " + profile.place, profile.setting("endpoint_url")}}) {
    if (!candidate.value.empty()) {
      return candidate;
    }
  }
  return {};
}

/// In old settings, "fips-us-east-1" and "us-east-1-fips" mean "us-east-1" with FIPS.
bool take_fips(std::string& region) {
  constexpr std::string_view kPrefix = "fips-";
  constexpr std::string_view kSuffix = "-fips";
  if (region.starts_with(kPrefix)) {
    region.erase(0, kPrefix.size());
    return true;
  }
  if (region.ends_with(kSuffix)) {
    region.resize(region.size() - kSuffix.size());
    return true;
  }
  return false;
}

constexpr std::string_view kGlobalRegion = "aws-global";

/// The regions whose calls went to STS's global endpoint before there were regional ones, which is
/// what "legacy" means in the AWS SDKs (botocore, args.py).
constexpr std::array<std::string_view, 15> kLegacyStsRegions{
    "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1",   "eu-north-1", "eu-west-1",      "eu-west-2",      "eu-west-3",
    "sa-east-1",      "us-east-1",  "us-east-2",      "us-west-1",      "us-west-2"};

bool wants_legacy_sts(const Profile& profile, const Environment& environment) {
  const Setting setting =
      setting_of("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints", profile, environment);
  const std::string value = upper(setting.value);
  if (value != "LEGACY" && value != "REGIONAL" && !value.empty()) {
    throw usage_error(setting.name +
                      fmt::format(": \"{}\" is neither regional nor legacy", setting.value));
  }
  return value == "LEGACY";
}

/// STS's global endpoint is in us-east-1 and expects signatures for that region.
ServiceSettings global_sts(aws::EndpointVariant variant) {
  constexpr std::string_view kHome = "us-east-1";
  ServiceSettings sts{.region = std::string(kHome), .endpoint = {}};
  if (variant.fips || variant.dual_stack) {
    sts.endpoint = aws::regional_endpoint("sts", kHome, variant);
  } else {
    sts.endpoint.host = "sts.amazonaws.com";
  }
  return sts;
}

/// The region and its endpoint. `overridden` means that a different endpoint is configured.
ServiceSettings own_endpoint(std::string_view service, const ServiceFlags& flags,
                             const Profile& profile, const Environment& environment,
                             bool overridden) {
  std::string region = configured_region(flags, profile, environment);
  if (region.empty()) {
    region = flags.fallback_region;
  }
  aws::EndpointVariant variant;
  variant.fips =
      boolean(setting_of("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", profile, environment));
  variant.fips = take_fips(region) || variant.fips;
  variant.dual_stack = boolean(
      setting_of("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", profile, environment));
  if (service == "sts") {
    const bool legacy = wants_legacy_sts(profile, environment) && !overridden && !variant.fips &&
                        !variant.dual_stack && std::ranges::count(kLegacyStsRegions, region) > 0;
    if (legacy || region.empty() || region == kGlobalRegion) {
      return global_sts(variant);
    }
  }
  if (region.empty()) {
    throw usage_error(
        "no region is given, and " + profile.place + " gives none",
        "Set " + setting::kRegion + " or AWS_REGION, or run \"aws configure set region REGION\".");
  }
  ServiceSettings settings{.region = std::move(region), .endpoint = {}};
  settings.endpoint = aws::regional_endpoint(service, settings.region, variant);
  return settings;
}

}  // namespace

std::string configured_region(const ServiceFlags& flags, const Profile& profile,
                              const Environment& environment) {
  for (const std::string& region : {flags.region, flags.arn_region, environment("AWS_REGION"),
                                    environment("AWS_DEFAULT_REGION"), profile.setting("region")}) {
    if (!region.empty()) {
      return region;
    }
  }
  return {};
}

ServiceSettings resolve_service(std::string_view service, const ServiceFlags& flags,
                                const Profile& profile, const Environment& environment,
                                std::string_view settings_name) {
  const Setting configured = configured_endpoint_url(
      settings_name.empty() ? service : settings_name, flags, profile, environment);
  // Even if its endpoint is not used: otherwise an invalid region would only show up as a rejected
  // signature.
  ServiceSettings settings =
      own_endpoint(service, flags, profile, environment, !configured.value.empty());
  if (!configured.value.empty()) {
    settings.endpoint = http::parse_endpoint(configured.value, configured.name);
    if (!flags.insecure_http) {
      require_secure(settings.endpoint, configured);
    }
  }
  settings.proxy = resolve_proxy(settings.endpoint, environment);
  return settings;
}

std::string resolve_ca_bundle(const Profile& profile, const Environment& environment) {
  const std::string from_environment = environment("AWS_CA_BUNDLE");
  return from_environment.empty() ? profile.setting("ca_bundle") : from_environment;
}

}  // namespace everyitem::identity
