// Endpoints: accepted ones can be written into a request, and read back unchanged.
#include <algorithm>
#include <string>

#include "aws/regional_endpoint.h"
#include "base/error.h"
#include "fuzz_target.h"
#include "http/endpoint.h"

namespace everyitem::aws {
namespace {

using fuzz::require;

bool may_stand_in_host_header(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("-_.:[]").find(c) != std::string_view::npos;
}

void require_endpoint(const http::Endpoint& endpoint) {
  require(!endpoint.host.empty() && endpoint.port != 0, "an endpoint has host and port");
  require(std::ranges::all_of(endpoint.authority(), may_stand_in_host_header),
          "a Host header holds nothing else");
  require(http::parse_endpoint(endpoint.url(), "--x") == endpoint,
          "an endpoint's URL is the endpoint");
}

void parse(std::string_view text) {
  try {
    require_endpoint(http::parse_endpoint(text, "--x"));
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::usage, "a wrong setting is a usage error");
    require(error.details().message.text().starts_with("--x: "), "the setting is named");
  }
}

void of_region(std::string_view region) {
  try {
    require_endpoint(regional_endpoint("dynamodb", region));
  } catch (const Error& error) {
    require(error.details().message.text().ends_with("is not a region"),
            "a region's endpoint is one");
  }
}

}  // namespace
}  // namespace everyitem::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = everyitem::fuzz::as_text(data, size);
  everyitem::aws::parse(text);
  everyitem::aws::of_region(text);
  return 0;
}
