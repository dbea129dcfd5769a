// The aggregated record of the Kinesis Producer Library, see docs/aggregation_format.md.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <protozero/types.hpp>

namespace everyitem::batch {

using namespace std::string_view_literals;

/// The first bytes of every aggregated record. A record without them is plain.
inline constexpr std::string_view kAggregationMagic = "\xf3\x89\x9a\xc2"sv;

/// The record ends with the MD5 of the message between.
inline constexpr std::size_t kAggregationDigestBytes = 16;

/// Fields of the message, AggregatedRecord.
enum class AggregatedField : protozero::pbf_tag_type {
  partition_key_table = 1,
  explicit_hash_key_table = 2,
  records = 3,
};

/// Fields of its Record.
enum class AggregatedItemField : protozero::pbf_tag_type {
  partition_key_index = 1,
  explicit_hash_key_index = 2,
  data = 3,
};

/// Maximum data of one aggregated record. Two of the 25 KiB units that Kinesis bills, so that none
/// is paid for and left empty; a twentieth of what a shard takes per second; and small enough that
/// a request has many records, whose MD5s are computed side by side.
inline constexpr std::size_t kAggregatedRecordBytes = std::size_t{2} * 25 * 1024;

}  // namespace everyitem::batch
