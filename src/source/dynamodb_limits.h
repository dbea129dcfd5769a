// DynamoDB's limits, each once, with its unit and source.
#pragma once

#include <cstddef>
#include <cstdint>

namespace everyitem::source {

/// The maximum TotalSegments of a Scan (API reference, Scan).
inline constexpr std::uint32_t kMaxSegments = 1'000'000;

/// What one read unit buys of strongly consistent reads; twice that of others ("Read and write
/// operations" in the DynamoDB Developer Guide).
inline constexpr double kBytesPerReadUnit = 4096;

/// Bytes per second that one partition serves to eventually consistent reads: 3,000 read units per
/// second (Developer Guide, "Partitions and data distribution"), each 2 x 4 KiB. A segment is in
/// one partition at a time, so no segment can be read faster.
inline constexpr std::uint64_t kPartitionBytesPerSecond = 3'000ULL * 2 * 4096;

/// Maximum bytes a Scan reads for one page (API reference, Scan).
inline constexpr std::uint64_t kMaxPageBytes = 1U << 20;

/// Bytes of an answer with such a page. JSON takes up to about twelve times what DynamoDB counts:
/// an attribute with a name of one byte and NULL counts 2 bytes, and is "a":{"NULL":true}.
inline constexpr std::size_t kMaxPageAnswerBytes = 16U << 20;

/// Bytes of an answer to DescribeTable: 20 or more indexes that each project up to 100 attributes
/// with names of 255 bytes (Developer Guide, "Quotas").
inline constexpr std::size_t kMaxTableDescriptionBytes = 2U << 20;

/// Read units for such a page with eventual consistency: half a unit per 4 KiB (Developer Guide,
/// "Read/write capacity mode"). Strong consistency costs twice as much.
inline constexpr double kMaxPageReadUnits = 128;

/// Maximum requests in one BatchWriteItem (API reference, BatchWriteItem).
inline constexpr std::size_t kMaxBatchWrites = 25;

}  // namespace everyitem::source
