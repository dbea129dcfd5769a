#include "identity/service_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
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

std::string_view settings_name_of(const aws::ServiceModel& model) {
  return model.settings_name.empty() ? model.signing_name : model.settings_name;
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

/// The value is empty if none is configured.
Setting region_setting(const ServiceFlags& flags, const Profile& profile,
                       const Environment& environment) {
  for (Setting candidate :
       {Setting{setting::kRegion, flags.region}, Setting{"the region of the ARN", flags.arn_region},
        Setting{"AWS_REGION", environment("AWS_REGION")},
        Setting{"AWS_DEFAULT_REGION", environment("AWS_DEFAULT_REGION")},
        Setting{"region of " + profile.place, profile.setting("region")}}) {
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

aws::EndpointVariant variant_of(const Profile& profile, const Environment& environment) {
  return {.fips = boolean(
              setting_of("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", profile, environment)),
          .dual_stack = boolean(setting_of("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint",
                                           profile, environment))};
}

/// Whether endpoints for one account are used.
enum class AccountMode { preferred, disabled, required };

AccountMode account_mode(const Profile& profile, const Environment& environment) {
  const Setting setting =
      setting_of("AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode", profile, environment);
  const std::string value = upper(setting.value);
  if (value == "DISABLED") {
    return AccountMode::disabled;
  }
  if (value == "REQUIRED") {
    return AccountMode::required;
  }
  if (value != "PREFERRED" && !value.empty()) {
    throw usage_error(
        setting.name +
        fmt::format(": \"{}\" is not one of preferred, disabled and required", setting.value));
  }
  return AccountMode::preferred;
}

/// What is known of a service's own endpoint before the account is.
struct OwnEndpoint {
  ServiceSettings settings;
  aws::EndpointVariant variant;
};

/// The region and its standard endpoint. `overridden` means that a different endpoint is
/// configured.
OwnEndpoint own_endpoint(std::string_view service, const ServiceFlags& flags,
                         const Profile& profile, const Environment& environment, bool overridden) {
  const Setting configured = region_setting(flags, profile, environment);
  std::string region = configured.value.empty() ? flags.fallback_region : configured.value;
  if (!configured.value.empty() && !aws::may_be_region(region)) {
    throw usage_error(configured.name + fmt::format(" is \"{}\", which is not a region", region),
                      aws::kRegionExample);
  }
  aws::EndpointVariant variant = variant_of(profile, environment);
  variant.fips = take_fips(region) || variant.fips;
  if (service == "sts") {
    const bool legacy = wants_legacy_sts(profile, environment) && !overridden && !variant.fips &&
                        !variant.dual_stack && std::ranges::count(kLegacyStsRegions, region) > 0;
    if (legacy || region.empty() || region == kGlobalRegion) {
      return {.settings = global_sts(variant), .variant = variant};
    }
  }
  if (region.empty()) {
    throw usage_error(
        "no region is given, and " + profile.place + " gives none",
        "Set " + setting::kRegion + " or AWS_REGION, or run \"aws configure set region REGION\".");
  }
  OwnEndpoint own{.settings = {.region = std::move(region), .endpoint = {}}, .variant = variant};
  own.settings.endpoint = aws::regional_endpoint(service, own.settings.region, variant);
  return own;
}

/// To find out whether there are endpoints for an account.
constexpr const char* kAnyAccount = "0";

/// The account of the resource; otherwise that of the credentials.
std::string account_of(const ServiceFlags& flags, const std::string& region) {
  return !flags.arn_account.empty() && flags.arn_region == region ? flags.arn_account
                                                                  : flags.account_id;
}

/// The endpoint for the account, if it is wanted and exists.
std::optional<http::Endpoint> own_account_endpoint(const aws::ServiceModel& model,
                                                   const ServiceFlags& flags,
                                                   const OwnEndpoint& own, AccountMode mode) {
  if (model.account_endpoint.empty() || mode == AccountMode::disabled) {
    return std::nullopt;
  }
  const std::string& region = own.settings.region;
  const std::string account = account_of(flags, region);
  std::optional<http::Endpoint> endpoint = aws::account_endpoint(
      model.account_endpoint, account.empty() ? std::string(kAnyAccount) : account, region,
      own.variant);
  if (endpoint && !account.empty()) {
    return endpoint;
  }
  if (mode == AccountMode::required) {
    throw usage_error(
        endpoint
            ? std::string("endpoints for an account are required, but the account is not known")
            : fmt::format("endpoints for an account are required, but {} has none in {}{}",
                          model.signing_name, region, own.variant.fips ? " with FIPS" : ""),
        "Set AWS_ACCOUNT_ID, or aws_account_id in the profile; or set AWS_ACCOUNT_ID_ENDPOINT_MODE "
        "to preferred.");
  }
  return std::nullopt;
}

}  // namespace

std::string configured_region(const ServiceFlags& flags, const Profile& profile,
                              const Environment& environment) {
  return region_setting(flags, profile, environment).value;
}

ServiceSettings resolve_service(const aws::ServiceModel& model, const ServiceFlags& flags,
                                const Profile& profile, const Environment& environment) {
  const Setting configured =
      configured_endpoint_url(settings_name_of(model), flags, profile, environment);
  const AccountMode mode = account_mode(profile, environment);
  // Even if its endpoint is not used: otherwise an invalid region would only show up as a rejected
  // signature.
  const OwnEndpoint own =
      own_endpoint(model.signing_name, flags, profile, environment, !configured.value.empty());
  ServiceSettings settings = own.settings;
  if (!configured.value.empty()) {
    settings.endpoint = http::parse_endpoint(configured.value, configured.name);
    if (!flags.insecure_http) {
      require_secure(settings.endpoint, configured);
    }
  } else if (const auto endpoint = own_account_endpoint(model, flags, own, mode)) {
    settings.endpoint = *endpoint;
  }
  settings.proxy = resolve_proxy(settings.endpoint, environment);
  return settings;
}

bool depends_on_account(const aws::ServiceModel& model, const ServiceFlags& flags,
                        const Profile& profile, const Environment& environment) {
  if (model.account_endpoint.empty() ||
      account_mode(profile, environment) == AccountMode::disabled ||
      !configured_endpoint_url(settings_name_of(model), flags, profile, environment)
           .value.empty()) {
    return false;
  }
  const OwnEndpoint own =
      own_endpoint(model.signing_name, flags, profile, environment, /*overridden=*/false);
  const std::string& region = own.settings.region;
  return account_of(flags, region).empty() &&
         aws::account_endpoint(model.account_endpoint, kAnyAccount, region, own.variant)
             .has_value();
}

void check_retry_settings(const Profile& profile, const Environment& environment) {
  const Setting attempts = setting_of("AWS_MAX_ATTEMPTS", "max_attempts", profile, environment);
  const std::string& text = attempts.value;
  int number = 1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size() || number < 1)) {
    throw usage_error(attempts.name + fmt::format(": \"{}\" is not a number of attempts", text),
                      "Give a whole number, at least 1.");
  }
  const Setting mode = setting_of("AWS_RETRY_MODE", "retry_mode", profile, environment);
  constexpr std::array<std::string_view, 4> kModes{"", "legacy", "standard", "adaptive"};
  if (std::ranges::count(kModes, mode.value) == 0) {
    throw usage_error(
        mode.name +
        fmt::format(": \"{}\" is not one of legacy, standard and adaptive", mode.value));
  }
}

std::string resolve_ca_bundle(const Profile& profile, const Environment& environment) {
  const std::string from_environment = environment("AWS_CA_BUNDLE");
  return from_environment.empty() ? profile.setting("ca_bundle") : from_environment;
}

}  // namespace everyitem::identity
