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
  std::string_view signin_suffix;  ///< of the console, where "signin" has its usual endpoint
};

// partitions.json of botocore 1.43.11, according to which each supports FIPS and dual-stack. Before
// 2025 there were no dual-stack endpoints in the isolated ones.
constexpr std::string_view kUsGov = "aws-us-gov";
constexpr std::array kPartitions{
    Partition{"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "amazonaws.cn"},
    Partition{"aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu", "amazonaws-eusc.eu"},
    Partition{"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov", "c2shome.ic.gov"},
    Partition{"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud", "sc2shome.sgov.gov"},
    Partition{"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk",
              "csphome.adc-e.uk"},
    Partition{"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov",
              "csphome.hci.ic.gov"},
    Partition{kUsGov, "us-gov-", "amazonaws.com", "api.aws", "amazonaws-us-gov.com"},
    Partition{"aws", "", "amazonaws.com", "api.aws", "aws.amazon.com"},  // and every unknown region
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

/// The rules of "signin" (its endpoint-rule-set-1.json), where they differ from those of all
/// others.
std::string signin_host(std::string_view region, const Partition& partition, bool fips) {
  if (fips && region == "us-gov-west-1") {
    return fmt::format("signin-fips.{}", partition.signin_suffix);
  }
  return fmt::format("{}.signin{}.{}", region, fips ? "-fips" : "", partition.signin_suffix);
}

}  // namespace

bool may_be_region(std::string_view text) { return is_host_label(text); }

http::Endpoint regional_endpoint(std::string_view service, std::string_view region,
                                 EndpointVariant variant) {
  if (!may_be_region(region)) {
    throw usage_error(fmt::format("\"{}\" is not a region", region), kRegionExample);
  }
  const Partition& partition = partition_of(region);
  const bool fips_is_usual = partition.name == kUsGov && !variant.dual_stack &&
                             std::ranges::count(kUsuallyFipsInUsGov, service) > 0;
  http::Endpoint endpoint;
  if (service == "signin" && !variant.dual_stack && (!variant.fips || partition.name == kUsGov)) {
    endpoint.host = signin_host(region, partition, variant.fips);
    return endpoint;
  }
  endpoint.host =
      fmt::format("{}{}.{}.{}", service, variant.fips && !fips_is_usual ? "-fips" : "", region,
                  variant.dual_stack ? partition.dual_stack_suffix : partition.suffix);
  return endpoint;
}

std::optional<http::Endpoint> account_endpoint(std::string_view name, std::string_view account,
                                               std::string_view region, EndpointVariant variant) {
  // From endpoint-rule-set-1.json of both services in botocore 1.44.8.
  constexpr std::array<std::string_view, 4> kOtherRegionsOfDynamoDb{
      "us-gov-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"};
  const Partition& partition = partition_of(region);
  const bool exists =
      name == "ddb" ? !variant.fips && (partition.name == "aws" ||
                                        std::ranges::count(kOtherRegionsOfDynamoDb, region) > 0)
                    : partition.name != "aws-iso" && partition.name != "aws-iso-b";
  if (!exists) {
    return std::nullopt;
  }
  if (!is_host_label(account)) {
    throw usage_error("the account ID of the credentials is not an account ID",
                      "Correct AWS_ACCOUNT_ID, or aws_account_id in the profile.");
  }
  http::Endpoint endpoint;
  endpoint.host = fmt::format("{}.{}{}.{}.{}", account, name, variant.fips ? "-fips" : "", region,
                              variant.dual_stack ? partition.dual_stack_suffix : partition.suffix);
  return endpoint;
}

}  // namespace everyitem::aws
