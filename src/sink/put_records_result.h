// Reads what Kinesis answers to PutRecords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/padded_buffer.h"

namespace everyitem::sink {

/// The records of one request that Kinesis did not take.
struct PutRecordsResult {
  std::vector<std::uint32_t> failed;  ///< their places in the request, rising
  /// ErrorCode and ErrorMessage of the failure that matters most, the first of these: one that is
  /// not retryable before others, throttling last.
  std::string code;
  std::string message;
  bool only_throttled = true;  ///< every failure asks for no more than a slower pace
  bool only_retryable = true;  ///< every failure may pass if the record is sent again
};

/// `sent`: the number of records in the request. A record counts as taken only if its entry has a
/// SequenceNumber and no ErrorCode (null means absent). Throws aws::MalformedResponse when the
/// answer does not have one entry a record, or when its FailedRecordCount says otherwise.
PutRecordsResult parse_put_records_result(const PaddedBuffer& body, std::size_t sent);

}  // namespace everyitem::sink
