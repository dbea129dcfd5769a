// Reads what Kinesis answers to PutRecords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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

/// Told the place in the request and the ShardId of a record that was taken.
using TakenBy = std::function<void(std::uint32_t place, std::string_view shard_id)>;

/// `sent`: the number of records in the request. A record counts as taken only if its entry has a
/// SequenceNumber and no ErrorCode (null means absent). Throws aws::MalformedResponse when the
/// answer does not have one entry a record, or when its FailedRecordCount says otherwise.
/// `taken_by`, where given, is told of each record that was taken and whose entry has a ShardId:
/// before it is known whether the answer is malformed and has more entries than there are places.
PutRecordsResult parse_put_records_result(const PaddedBuffer& body, std::size_t sent, Wire wire,
                                          const TakenBy& taken_by = {});

}  // namespace everyitem::sink
