// PutRecords responses: accepted ones have a result for each record that was sent.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "aws/client.h"
#include "aws/redaction.h"
#include "fuzz_target.h"
#include "sink/put_records_result.h"

namespace everyitem::sink {
namespace {

using fuzz::require;

bool accepts(const PaddedBuffer& body, std::size_t sent, Wire wire) {
  try {
    const PutRecordsResult result = parse_put_records_result(body, sent, wire);
    require(std::ranges::adjacent_find(result.failed, std::ranges::greater_equal()) ==
                result.failed.end(),
            "the indexes of failed records rise");
    require(result.failed.empty() || result.failed.back() < sent, "only what was sent has failed");
    std::vector<bool> not_taken(sent);
    for (const std::uint32_t index : result.failed) {
      not_taken[index] = true;
    }
    for (const InvalidRecord& record : result.invalid) {
      require(record.index < sent && !not_taken[record.index], "a record has one result");
      require(aws::is_error_code(record.code), "what is invalid has a code");
      not_taken[record.index] = true;
    }
    require(!result.failed.empty() || (result.code.empty() && result.message.empty()),
            "what did not fail has no code");
    require(!result.only_throttled || result.only_retryable, "what is throttled can be sent again");
    return true;
  } catch (const aws::MalformedResponse&) {
    return false;
  }
}

}  // namespace
}  // namespace everyitem::sink

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const everyitem::PaddedBuffer body(everyitem::fuzz::as_text(data, size));
  for (const auto wire : {everyitem::Wire::json, everyitem::Wire::cbor}) {
    int accepted = 0;
    for (std::size_t sent = 0; sent <= 4; ++sent) {
      accepted += everyitem::sink::accepts(body, sent, wire) ? 1 : 0;
    }
    everyitem::fuzz::require(accepted <= 1, "an answer is for one number of records");
  }
  return 0;
}
