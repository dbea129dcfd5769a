// The limits of Kinesis Data Streams, each once, with its unit and source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace everyitem::batch {

/// Records per PutRecords request (API reference, PutRecords).
inline constexpr std::size_t kMaxRecordsPerRequest = 500;

/// Bytes per record, data before base64 plus partition key, unless the stream's MaxRecordSizeInKiB
/// is larger (API reference, PutRecords and DescribeStreamSummary).
inline constexpr std::size_t kDefaultMaxRecordBytes = 1U << 20;

/// Bytes per request, including partition keys: for any stream, and for one that takes larger
/// records than the default (API reference, PutRecords, as of October 2025).
inline constexpr std::size_t kMaxRequestBytes = 5U << 20;
inline constexpr std::size_t kMaxRequestBytesLargeRecords = 10U << 20;

/// Bytes of an answer to PutRecords: 4 KiB per record, which has a sequence number (128 digits), a
/// shard, or an error code and a message (API reference, PutRecordsResultEntry).
inline constexpr std::size_t kMaxPutRecordsAnswerBytes = kMaxRecordsPerRequest * 4096;

/// Bytes of a page of ListShards: 1,000 shards of about 500 bytes (API reference, ListShards);
/// local servers return more at once.
inline constexpr std::size_t kMaxShardPageBytes = 4U << 20;

/// More open shards than any stream has. The quota is 20,000 per account by default (Developer
/// Guide, "Quotas and limits").
inline constexpr std::uint32_t kMaxOpenShards = 100'000;

/// What a shard takes per second: records, and their bytes as above (API reference, PutRecords).
inline constexpr double kShardRecordsPerSecond = 1000;
inline constexpr double kShardBytesPerSecond = 1U << 20;

/// What one PutRecords request to a stream may hold.
struct PutRecordsLimits {
  std::size_t records = kMaxRecordsPerRequest;
  std::size_t request_bytes = kMaxRequestBytes;
  std::size_t record_bytes = kDefaultMaxRecordBytes;
};

/// The limit of a record's size, for the user.
std::string record_limit(const PutRecordsLimits& limits);

}  // namespace everyitem::batch
