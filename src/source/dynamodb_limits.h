// DynamoDB's limits, each once, with its unit and source.
#pragma once

#include <cstddef>
#include <cstdint>

namespace everyitem::source {

/// TotalSegments of a Scan is from 1 to this (API reference, Scan).
inline constexpr std::uint32_t kMaxSegments = 1'000'000;

/// Bytes a second that one partition serves to eventually consistent reads: 3,000 read units a
/// second (Developer Guide, "Partitions and data distribution"), each 2 x 4 KiB. A segment sits in
/// one partition at a time, so this is the most that one segment reads.
inline constexpr std::uint64_t kPartitionBytesPerSecond = 3'000ULL * 2 * 4096;

/// Bytes that a Scan reads at most for one page (API reference, Scan).
inline constexpr std::uint64_t kMaxPageBytes = 1U << 20;

/// Read units of such a page, read eventually consistent: half a unit for each 4 KiB (Developer
/// Guide, "Read/write capacity mode"). Strongly consistent, it costs twice as much.
inline constexpr double kMaxPageReadUnits = 128;

/// Requests in one BatchWriteItem, at most (API reference, BatchWriteItem).
inline constexpr std::size_t kMaxBatchWrites = 25;

}  // namespace everyitem::source
