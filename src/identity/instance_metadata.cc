#include "identity/instance_metadata.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/beast/core/string.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/human_format.h"
#include "identity/secret_json.h"
#include "identity/setting.h"

namespace everyitem::identity {

namespace {

constexpr aws::ServiceModel kModel{"metadata", "", ""};

// The same on every machine (EC2 user guide, "Access instance metadata").
constexpr std::string_view kAddress = "169.254.169.254";
constexpr std::string_view kAddressIpv6 = "fd00:ec2::254";

constexpr std::string_view kTokenHeader = "X-aws-ec2-metadata-token";
constexpr std::string_view kLifetimeHeader = "X-aws-ec2-metadata-token-ttl-seconds";
constexpr std::string_view kLifetime = "21600";  ///< seconds; the maximum
constexpr std::string_view kTokenPath = "/latest/api/token";

bool is(const Setting& setting, std::string_view word) {
  return boost::beast::iequals(setting.value, word);
}

/// Nothing if it is not set.
template <typename Number>
std::optional<Number> read_number(const Setting& setting, Number low, Number high) {
  if (setting.value.empty()) {
    return std::nullopt;
  }
  Number number{};
  const char* const end = setting.value.data() + setting.value.size();
  const auto [rest, error] = std::from_chars(setting.value.data(), end, number);
  if (error != std::errc() || rest != end || !(number >= low && number <= high)) {
    throw usage_error(setting.name + fmt::format(" must be a number from {} to {}", low, high));
  }
  return number;
}

http::Endpoint resolve_endpoint(const Profile& profile, const Environment& environment,
                                bool insecure_http) {
  const Setting url = setting_of("AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                 "ec2_metadata_service_endpoint", profile, environment);
  if (!url.value.empty()) {
    http::Endpoint endpoint = http::parse_endpoint(url.value, url.name);
    if (!insecure_http && endpoint.host != kAddress && endpoint.host != kAddressIpv6) {
      require_secure(endpoint, url);
    }
    return endpoint;
  }
  const Setting mode = setting_of("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                                  "ec2_metadata_service_endpoint_mode", profile, environment);
  if (!mode.value.empty() && !is(mode, "IPv4") && !is(mode, "IPv6")) {
    throw usage_error(mode.name + " must be IPv4 or IPv6");
  }
  return {
      .tls = false, .host = std::string(is(mode, "IPv6") ? kAddressIpv6 : kAddress), .port = 80};
}

std::string refusal(int status) { return fmt::format("HTTP status {}", status); }

}  // namespace

MetadataSettings resolve_metadata_settings(const Profile& profile, const Environment& environment,
                                           bool insecure_http) {
  const auto find = [&](std::string_view variable, std::string_view setting) {
    return setting_of(variable, setting, profile, environment);
  };
  MetadataSettings settings;
  // The AWS tools treat values they do not know as false.
  settings.disabled = boost::beast::iequals(environment("AWS_EC2_METADATA_DISABLED"), "true");
  settings.endpoint = resolve_endpoint(profile, environment, insecure_http);
  constexpr double kShortest = 0.001;
  constexpr double kLongest = 3600;
  if (const auto seconds = read_number(
          find("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout"), kShortest, kLongest)) {
    settings.timeout =
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(*seconds));
  }
  settings.attempts =
      read_number(find("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts"), 1,
                  1000)
          .value_or(settings.attempts);
  settings.allows_version_1 =
      !boolean(find("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"), true);
  return settings;
}

InstanceMetadata::InstanceMetadata(Connector& connector)
    : connector_(connector),
      settings_(resolve_metadata_settings(connector.profile(), connector.environment(),
                                          connector.context().insecure_http)) {}

Awaitable<http::Response> InstanceMetadata::ask(std::string_view method, std::string_view path,
                                                http::Header header) {
  const http::Timeouts timeouts{.connect = settings_.timeout, .idle = settings_.timeout};
  const auto connection =
      connector_.place(co_await asio::this_coro::executor, kModel, settings_.endpoint, timeouts);
  http::Request request;
  const std::string target = settings_.endpoint.target(path);
  request.method = method;
  request.target = target;
  if (!header.value.empty()) {
    request.headers.push_back(std::move(header));
  }
  for (int attempt = 1;; ++attempt) {
    const bool is_last = attempt == settings_.attempts;
    try {
      http::Response response = co_await connection->http.send(request);
      if (is_last || response.status < 500) {
        co_return response;
      }
    } catch (const http::TransportError&) {
      if (is_last) {
        throw;
      }
    }
  }
}

Awaitable<std::string> InstanceMetadata::fetch_token() {
  http::Header lifetime;
  lifetime.name = kLifetimeHeader;
  lifetime.value = kLifetime;
  std::string failure;
  try {
    const http::Response response = co_await ask("PUT", kTokenPath, std::move(lifetime));
    if (response.status == 200 && !response.body.empty()) {
      co_return std::string(response.body.view());
    }
    failure = "no token: " + refusal(response.status);
  } catch (const http::TransportError& error) {
    if (error.cause() != http::TransportError::Cause::idle) {
      throw;
    }
    // A token travels as many hops as the instance's settings allow, usually one. That is too few
    // for a container, which then gets no response.
    failure = fmt::format(
        "no token within {}; in a container, the instance's hop limit for metadata must be 2",
        duration(settings_.timeout));
  }
  if (settings_.allows_version_1) {
    co_return std::string();
  }
  throw MetadataUnavailable(failure);
}

Awaitable<http::Response> InstanceMetadata::ask_with_token(const std::string& path) {
  if (!token_) {
    token_ = co_await fetch_token();
  }
  http::Header token;
  token.name = kTokenHeader;
  token.value = *token_;
  co_return co_await ask("GET", path, std::move(token));
}

Awaitable<http::Response> InstanceMetadata::get(std::string path) {
  if (settings_.disabled) {
    throw MetadataUnavailable("AWS_EC2_METADATA_DISABLED is true");
  }
  std::string failure;
  try {
    http::Response response = co_await ask_with_token(path);
    if (response.status == 401 && token_ && !token_->empty()) {
      token_.reset();  // it has expired
      response = co_await ask_with_token(path);
    }
    if (response.status == 200 || response.status == 404) {
      co_return response;
    }
    failure = refusal(response.status);
  } catch (const http::TransportError& error) {
    const bool is_late = std::string_view(error.what())
                             .ends_with(std::make_error_code(std::errc::timed_out).message());
    failure = is_late || error.cause() == http::TransportError::Cause::idle
                  ? "no response within " + duration(settings_.timeout)
                  : error.what();
  }
  throw MetadataUnavailable(failure);
}

Awaitable<std::optional<std::string>> region_from_metadata(Connector& connector) {
  InstanceMetadata metadata(connector);
  try {
    const http::Response response = co_await metadata.get("/latest/meta-data/placement/region");
    std::string region(response.body.view());
    const bool is_name = !region.empty() && std::ranges::all_of(region, [](char c) {
      return c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    });
    if (response.status == 200 && is_name) {
      co_return region;
    }
  } catch (const MetadataUnavailable&) {
    // Most machines are not EC2 instances.
  }
  co_return std::nullopt;
}

}  // namespace everyitem::identity
