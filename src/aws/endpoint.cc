#include "aws/endpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::aws {

namespace {

struct Partition {
  std::string_view name;
  std::string_view region_prefix;
  std::string_view suffix;
  std::string_view dual_stack_suffix;
};

// partitions.json of botocore 1.43.11, which says of each that it supports FIPS and dual-stack.
// Those of before 2025 know no dual-stack endpoints of the isolated ones.
constexpr std::string_view kUsGov = "aws-us-gov";
constexpr std::array kPartitions{
    Partition{"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    Partition{"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    Partition{"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    Partition{"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    Partition{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    Partition{"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    Partition{kUsGov, "us-gov-", "amazonaws.com", "api.aws"},
    Partition{"aws", "", "amazonaws.com", "api.aws"},  // and every region that is not known
};

/// Those whose usual endpoint in aws-us-gov is the FIPS one (their endpoint-rule-set-1.json). With
/// dual-stack it has a name of its own there, too.
constexpr std::array<std::string_view, 6> kUsuallyFipsInUsGov{"dynamodb",   "kinesis", "oidc",
                                                              "portal.sso", "ssm",     "sts"};

const Partition& partition_of(std::string_view region) {
  return *std::ranges::find_if(kPartitions, [region](const Partition& partition) {
    return region.starts_with(partition.region_prefix);
  });
}

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// RFC 1123.
bool is_host_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

/// Looser than RFC 1123: names of containers may hold an underscore.
bool is_host_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

/// From 1 to 65535, nothing else.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

std::uint16_t usual_port(bool tls) { return tls ? 443 : 80; }

}  // namespace

std::string Endpoint::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != usual_port(tls)) {
    text += ":" + std::to_string(port);
  }
  return text;
}

std::string Endpoint::url() const { return (tls ? "https://" : "http://") + authority(); }

Endpoint parse_endpoint(std::string_view url, std::string_view setting) {
  // The URL is not repeated in the message where it may hold a password.
  const auto fail = [setting](std::string_view fault) {
    return usage_error(fmt::format("{}: {}", setting, fault),
                       "Give a URL such as http://127.0.0.1:8000 or https://host.");
  };
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) {
    throw fail("not a URL");
  }
  const boost::urls::url_view& view = *parsed;
  const boost::urls::scheme scheme = view.scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https) {
    throw fail("the scheme must be http or https");
  }
  if (view.has_userinfo()) {
    throw fail("a user name or password is not allowed");
  }
  const std::string_view path = view.encoded_path();
  // Boost.URL takes "host:8000x" for a port and a path without a slash.
  if (!view.has_authority() || (!path.empty() && path.front() != '/')) {
    throw fail("not a URL of a host and port");
  }
  if (path.size() > 1) {
    throw fail(fmt::format("the path {} is not allowed", path));
  }
  if (view.has_query() || view.has_fragment()) {
    throw fail("a query or fragment is not allowed");
  }

  Endpoint endpoint;
  endpoint.tls = scheme == boost::urls::scheme::https;
  endpoint.host = view.host_address();
  const bool is_ipv6 = view.host_type() == boost::urls::host_type::ipv6;
  const bool is_future_ip = view.host_type() == boost::urls::host_type::ipvfuture;
  if (is_future_ip || (!is_ipv6 && !is_host_name(endpoint.host))) {
    throw fail("the host is missing or not a host's name");
  }
  endpoint.port = usual_port(endpoint.tls);
  if (view.has_port()) {
    const std::optional<std::uint16_t> port = parse_port(view.port());
    if (!port) {
      throw fail("the port must be a number from 1 to 65535");
    }
    endpoint.port = *port;
  }
  return endpoint;
}

Endpoint regional_endpoint(std::string_view service, std::string_view region,
                           EndpointVariant variant) {
  if (!is_host_label(region)) {
    throw usage_error(fmt::format("\"{}\" is not a region", region), "Give one such as us-east-1.");
  }
  const Partition& partition = partition_of(region);
  const bool fips_is_usual = partition.name == kUsGov && !variant.dual_stack &&
                             std::ranges::count(kUsuallyFipsInUsGov, service) > 0;
  Endpoint endpoint;
  endpoint.host =
      fmt::format("{}{}.{}.{}", service, variant.fips && !fips_is_usual ? "-fips" : "", region,
                  variant.dual_stack ? partition.dual_stack_suffix : partition.suffix);
  return endpoint;
}

bool is_loopback(const Endpoint& endpoint) {
  boost::system::error_code not_an_address;
  const auto address = boost::asio::ip::make_address(endpoint.host, not_an_address);
  if (!not_an_address) {
    return address.is_loopback();
  }
  // RFC 6761, section 6.3: the names below localhost are this machine too.
  return boost::algorithm::iequals(endpoint.host, "localhost") ||
         boost::algorithm::iends_with(endpoint.host, ".localhost");
}

}  // namespace everyitem::aws
