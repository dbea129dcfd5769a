#include "identity/service_settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "identity/proxy_settings.h"

namespace everyitem::identity {

namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return result;
}

std::string resolve_region(const ServiceFlags& flags, const Profile& profile,
                           const Environment& environment) {
  for (const std::string& region : {flags.region, flags.arn_region, environment("AWS_REGION"),
                                    environment("AWS_DEFAULT_REGION"), profile.setting("region")}) {
    if (!region.empty()) {
      return region;
    }
  }
  throw usage_error("no region is given, and " + profile.place + " gives none",
                    "Give --region or AWS_REGION, or run \"aws configure set region REGION\".");
}

/// A setting's value, and what to call it in messages.
struct ConfiguredUrl {
  std::string setting;
  std::string url;
};

/// With an empty url when none is configured.
ConfiguredUrl configured_endpoint_url(std::string_view service, const ServiceFlags& flags,
                                      const Profile& profile, const Environment& environment) {
  if (!flags.endpoint_url.empty()) {
    return {"--endpoint-url", flags.endpoint_url};
  }
  std::string ignored = environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  if (ignored.empty()) {
    ignored = profile.setting("ignore_configured_endpoint_urls");
  }
  if (upper(ignored) == "TRUE") {
    return {};
  }
  const std::string of_service = "AWS_ENDPOINT_URL_" + upper(service);
  for (ConfiguredUrl candidate :
       {ConfiguredUrl{of_service, environment(of_service)},
        ConfiguredUrl{"AWS_ENDPOINT_URL", environment("AWS_ENDPOINT_URL")},
        ConfiguredUrl{fmt::format("{} endpoint_url in the services of {}", service, profile.place),
                      profile.service_setting(service, "endpoint_url")},
        ConfiguredUrl{"endpoint_url of " + profile.place, profile.setting("endpoint_url")}}) {
    if (!candidate.url.empty()) {
      return candidate;
    }
  }
  return {};
}

}  // namespace

ServiceSettings resolve_service(std::string_view service, const ServiceFlags& flags,
                                const Profile& profile, const Environment& environment,
                                std::string_view settings_name) {
  ServiceSettings settings;
  settings.region = resolve_region(flags, profile, environment);
  // Even where it is not used: a region that cannot be would only be refused as a bad signature.
  settings.endpoint = aws::regional_endpoint(service, settings.region);
  const ConfiguredUrl configured = configured_endpoint_url(
      settings_name.empty() ? service : settings_name, flags, profile, environment);
  if (!configured.url.empty()) {
    settings.endpoint = aws::parse_endpoint(configured.url, configured.setting);
  }
  settings.proxy = resolve_proxy(settings.endpoint, environment);
  return settings;
}

std::string resolve_ca_bundle(const Profile& profile, const Environment& environment) {
  const std::string from_environment = environment("AWS_CA_BUNDLE");
  return from_environment.empty() ? profile.setting("ca_bundle") : from_environment;
}

}  // namespace everyitem::identity
