// ARNs, and the settings that take a name or an ARN.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/error.h"
#include "fuzz_target.h"

namespace everyitem::aws {
namespace {

using fuzz::require;

void require_usage(const Error& error) {
  require(error.kind() == ErrorKind::usage, "a wrong setting is a usage error");
  require(error.details().message.text().starts_with("--x is \""), "the setting is named");
}

void parse_any(std::string_view text) {
  try {
    const Arn arn = parse_arn(text, "--x");
    require(fmt::format("arn:{}:{}:{}:{}:{}", arn.partition, arn.service, arn.region, arn.account,
                        arn.resource) == text,
            "an ARN is its parts");
  } catch (const Error& error) {
    require_usage(error);
  }
}

bool may_stand_in_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.").find(c) != std::string_view::npos;
}

void parse_resource(ResourceName (*parse)(std::string_view, const Message&),
                    std::string_view text) {
  try {
    const ResourceName resource = parse(text, "--x");
    require(!resource.name.empty() && resource.name.size() <= 255 &&
                std::ranges::all_of(resource.name, may_stand_in_name),
            "a name is one that AWS takes");
    require(resource.arn.empty() ? resource.name == text && resource.region.empty()
                                 : resource.arn == text && !resource.region.empty(),
            "what was given is kept");
  } catch (const Error& error) {
    require_usage(error);
  }
}

}  // namespace
}  // namespace everyitem::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = everyitem::fuzz::as_text(data, size);
  everyitem::aws::parse_any(text);
  everyitem::aws::parse_resource(everyitem::aws::parse_table, text);
  everyitem::aws::parse_resource(everyitem::aws::parse_stream, text);
  return 0;
}
