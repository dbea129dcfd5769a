#include "aws/regional_endpoint.h"

#include <algorithm>
#include <array>

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

// partitions.json of botocore 1.43.11, according to which each supports FIPS and dual-stack. Before
// 2025 there were no dual-stack endpoints in the isolated ones.
constexpr std::string_view kUsGov = "aws-us-gov";
constexpr std::array kPartitions{
    Partition{"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    Partition{"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    Partition{"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    Partition{"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    Partition{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    Partition{"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    Partition{kUsGov, "us-gov-", "amazonaws.com", "api.aws"},
    Partition{"aws", "", "amazonaws.com", "api.aws"},  // and every unknown region
};

/// Services whose default endpoint in aws-us-gov is the FIPS one (their endpoint-rule-set-1.json).
/// With dual-stack, the FIPS endpoint has a separate name there too.
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

}  // namespace

http::Endpoint regional_endpoint(std::string_view service, std::string_view region,
                                 EndpointVariant variant) {
  if (!is_host_label(region)) {
    throw usage_error(fmt::format("\"{}\" is not a region", region), "Give one such as us-east-1.");
  }
  const Partition& partition = partition_of(region);
  const bool fips_is_usual = partition.name == kUsGov && !variant.dual_stack &&
                             std::ranges::count(kUsuallyFipsInUsGov, service) > 0;
  http::Endpoint endpoint;
  endpoint.host =
      fmt::format("{}{}.{}.{}", service, variant.fips && !fips_is_usual ? "-fips" : "", region,
                  variant.dual_stack ? partition.dual_stack_suffix : partition.suffix);
  return endpoint;
}

}  // namespace everyitem::aws
