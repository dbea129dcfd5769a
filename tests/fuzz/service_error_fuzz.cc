// Error responses. The input has one line each for status, x-amzn-errortype, Retry-After and
// Content-Type, then the body.
#include <charconv>
#include <string>

#include "aws/retry.h"
#include "aws/service_error.h"
#include "fuzz_target.h"

namespace everyitem::aws {
namespace {

using fuzz::require;

void read(std::string_view rest) {
  http::Response response;
  const std::string_view status = fuzz::take_line(rest);
  std::from_chars(status.data(), status.data() + status.size(), response.status);
  response.headers = {{"X-Amzn-ErrorType", std::string(fuzz::take_line(rest))},
                      {"Retry-After", std::string(fuzz::take_line(rest))},
                      {"Content-Type", std::string(fuzz::take_line(rest))}};
  response.body = PaddedBuffer(rest);

  const ServiceError error = read_service_error(response);
  require(error.http_status == response.status, "the status is the answer's");
  require(!error.message.empty(), "there is always something to say");
  require(error.code.find_first_of("#:") == std::string::npos, "a code is without its namespace");
  require(error.error_class == classify(error.http_status, error.code), "the code decides");

  const auto wait = parse_retry_after(response.header("retry-after"));
  require(!wait || (wait->count() >= 0 && *wait <= kMaxRetryAfter), "no wait is for good");
}

}  // namespace
}  // namespace everyitem::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  everyitem::aws::read(everyitem::fuzz::as_text(data, size));
  return 0;
}
