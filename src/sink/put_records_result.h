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

/// A record that is not valid: it would be refused however often it is sent.
struct InvalidRecord {
  std::uint32_t index = 0;  ///< into the request's records
  std::string code;
  std::string message;
};

/// The records of one request that Kinesis did not accept. All indexes are into the request.
struct PutRecordsResult {
  std::vector<InvalidRecord> invalid;  ///< indexes rising
  std::vector<std::uint32_t> failed;   ///< indexes of the other records not accepted, rising
  /// ErrorCode and ErrorMessage of the first failure of the worst kind: one that is not retryable
  /// is worse than one that is, and throttling is the least.
  std::string code;
  std::string message;
  bool only_throttled = true;  ///< each of `failed` only asks for a slower pace
  bool only_retryable = true;  ///< each of `failed` may be accepted if it is sent again
};

/// Called with the index and the ShardId of an accepted record.
using AcceptedBy = std::function<void(std::uint32_t index, std::string_view shard_id)>;

/// `sent`: the number of records in the request. A record counts as accepted only if its entry has
/// a SequenceNumber and no ErrorCode (null means absent). Throws aws::MalformedResponse if the
/// answer does not have one entry per record, or if its FailedRecordCount disagrees with them.
/// `accepted_by`, if given, is called for each accepted record whose entry has a ShardId. It is
/// called before the answer is known to be well-formed, so `index` may be `sent` or more.
PutRecordsResult parse_put_records_result(const PaddedBuffer& body, std::size_t sent, Wire wire,
                                          const AcceptedBy& accepted_by = {});

}  // namespace everyitem::sink
