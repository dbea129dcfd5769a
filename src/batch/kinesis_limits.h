// The limits of Kinesis Data Streams, each once, with its unit and source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace everyitem::batch {

/// Records in one PutRecords request (API reference, PutRecords).
inline constexpr std::size_t kMaxRecordsPerRequest = 500;

/// Bytes of one record, data before base64 plus partition key, unless the stream's
/// MaxRecordSizeInKiB says more (API reference, PutRecords and DescribeStreamSummary).
inline constexpr std::size_t kDefaultMaxRecordBytes = 1U << 20;

/// Bytes of one request, partition keys included: for every stream, and for one that takes records
/// of more than the default (API reference, PutRecords, as of October 2025).
inline constexpr std::size_t kMaxRequestBytes = 5U << 20;
inline constexpr std::size_t kMaxRequestBytesLargeRecords = 10U << 20;

/// What a shard takes in a second: records, and their bytes as above (API reference, PutRecords).
inline constexpr double kShardRecordsPerSecond = 1000;
inline constexpr double kShardBytesPerSecond = 1U << 20;

/// Records that one call of PutRecords can be given, as a stream has them.
struct PutRecordsLimits {
  std::size_t records = kMaxRecordsPerRequest;
  std::size_t request_bytes = kMaxRequestBytes;
  std::size_t record_bytes = kDefaultMaxRecordBytes;
};

/// What the limit of a record is, for the user.
std::string record_limit(const PutRecordsLimits& limits);

}  // namespace everyitem::batch
