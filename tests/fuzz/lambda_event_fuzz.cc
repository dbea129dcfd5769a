// Events of the Lambda function: arbitrary JSON.
#include <string>

#include <boost/json.hpp>

#include "base/error.h"
#include "fuzz_target.h"
#include "lambda/scanner_settings.h"

namespace everyitem::lambda {
namespace {

using fuzz::require;

std::string environment(std::string_view name) {
  return name == "TABLE_ARN" || name == "STREAM_ARN" || name == "CHECKPOINT" ? "something" : "";
}

void read_any(std::string_view text) {
  boost::system::error_code not_json;
  const boost::json::value event = boost::json::parse(text, not_json);
  if (not_json) {
    return;
  }
  try {
    const ScannerSettings settings = read_scanner_settings(environment, event);
    require(settings.scan.stream.has_value() && !settings.scan.output, "a function fills a stream");
    const ChainState next{.round = settings.chain.round, .limit_left = settings.scan.limit};
    const ScannerSettings again =
        read_scanner_settings(environment, boost::json::parse(successor_event(event, next, true)));
    require(!again.scan.restart, "a restart is not done twice");
    require(again.scan.table == settings.scan.table && again.scan.limit == settings.scan.limit &&
                again.chain.round == settings.chain.round && again.handover == settings.handover,
            "the next round has the same settings");
  } catch (const Error& error) {
    require(error.kind() == ErrorKind::usage, "a wrong event is a usage error");
  }
}

}  // namespace
}  // namespace everyitem::lambda

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  everyitem::lambda::read_any(everyitem::fuzz::as_text(data, size));
  return 0;
}
