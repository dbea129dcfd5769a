// Reads what Kinesis answers to PutRecords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/padded_buffer.h"
#include "base/wire.h"

namespace everyitem::sink {

/// A record that is not valid: it is refused whenever it is sent.
struct InvalidRecord {
  std::uint32_t place = 0;  ///< in the request
  std::string code;
  std::string message;
};

/// The records of one request that Kinesis did not take.
struct PutRecordsResult {
  std::vector<InvalidRecord> invalid;  ///< in the order of their places
  std::vector<std::uint32_t> failed;   ///< the places of the others, rising
  /// ErrorCode and ErrorMessage of the failure that matters most, the first of these: one that is
  /// not retryable before others, throttling last.
  std::string code;
  std::string message;
  bool only_throttled = true;  ///< each of `failed` asks for no more than a slower pace
  bool only_retryable = true;  ///< each of `failed` may be taken if it is sent again
};

/// `sent`: the number of records in the request. A record counts as taken only if its entry has a
/// SequenceNumber and no ErrorCode (null means absent). Throws aws::MalformedResponse when the
/// answer does not have one entry a record, or when its FailedRecordCount says otherwise.
PutRecordsResult parse_put_records_result(const PaddedBuffer& body, std::size_t sent, Wire wire);

}  // namespace everyitem::sink
