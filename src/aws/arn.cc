#include "aws/arn.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/error.h"

namespace everyitem::aws {

namespace {

constexpr std::string_view kArnPrefix = "arn:";

/// What a setting takes.
struct ResourceKind {
  std::string_view noun;
  std::string_view service;
  std::string_view resource_prefix;
  std::size_t min_name_length;
  std::size_t max_name_length;
};

// TableName in the DynamoDB API reference, StreamName in the Kinesis one: both of [a-zA-Z0-9_.-].
constexpr ResourceKind kTable{"table", "dynamodb", "table/", 3, 255};
constexpr ResourceKind kStream{"stream", "kinesis", "stream/", 1, 128};

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

ResourceName parse_resource(std::string_view value, const Message& setting,
                            const ResourceKind& kind) {
  const auto fail = [&](std::string_view fault) {
    return usage_error(
        setting + fmt::format(" is \"{}\": {}", value, fault),
        fmt::format("Give a {0}'s name ({3} to {4} letters, digits, '_', '.' or '-') or its ARN, "
                    "arn:aws:{1}:REGION:ACCOUNT:{2}NAME.",
                    kind.noun, kind.service, kind.resource_prefix, kind.min_name_length,
                    kind.max_name_length));
  };

  ResourceName result;
  result.name = value;
  if (is_arn(value)) {
    const Arn arn = parse_arn(value, setting);
    if (arn.service != kind.service) {
      throw fail(fmt::format("an ARN of {}, not of {}", arn.service, kind.service));
    }
    if (!arn.resource.starts_with(kind.resource_prefix)) {
      throw fail(fmt::format("not the ARN of a {}", kind.noun));
    }
    if (arn.region.empty()) {
      throw fail("the ARN has no region");
    }
    result = {.name = arn.resource.substr(kind.resource_prefix.size()),
              .arn = std::string(value),
              .region = arn.region};
    if (const std::size_t slash = result.name.find('/'); slash != std::string::npos) {
      const std::string_view rest = std::string_view(result.name).substr(slash + 1);
      throw fail(fmt::format("the ARN of a {}'s {}, not of the {} itself", kind.noun,
                             rest.substr(0, rest.find('/')), kind.noun));
    }
  }
  if (result.name.size() < kind.min_name_length || result.name.size() > kind.max_name_length ||
      !std::ranges::all_of(result.name, is_name_character)) {
    throw fail(fmt::format("not a {}'s name", kind.noun));
  }
  return result;
}

/// Empty for what a local server takes for an ARN.
Arn reported_arn(std::string_view text) {
  try {
    return parse_arn(text, "the ARN");
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

bool is_arn(std::string_view text) { return text.starts_with(kArnPrefix); }

Arn parse_arn(std::string_view text, const Message& setting) {
  const auto fail = [&] {
    return usage_error(setting + fmt::format(" is \"{}\", which is not an ARN", text),
                       "An ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.");
  };
  if (!is_arn(text)) {
    throw fail();
  }
  std::string_view rest = text.substr(kArnPrefix.size());
  Arn arn;
  for (std::string* part : {&arn.partition, &arn.service, &arn.region, &arn.account}) {
    const std::size_t colon = rest.find(':');
    if (colon == std::string_view::npos) {
      throw fail();
    }
    *part = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
  }
  arn.resource = rest;
  if (arn.partition.empty() || arn.service.empty() || arn.resource.empty()) {
    throw fail();
  }
  return arn;
}

std::string place_of(std::string_view arn, std::string_view region) {
  const Arn parts = reported_arn(arn);
  return parts.region.empty() || parts.account.empty()
             ? std::string(region)
             : parts.region + ", account " + parts.account;
}

std::string account_of(std::string_view arn) { return reported_arn(arn).account; }

ResourceName parse_table(std::string_view value, const Message& setting) {
  return parse_resource(value, setting, kTable);
}

ResourceName parse_stream(std::string_view value, const Message& setting) {
  return parse_resource(value, setting, kStream);
}

}  // namespace everyitem::aws
