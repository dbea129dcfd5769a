// The aggregated record of the Kinesis Producer Library: docs/aggregation_format.md.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <protozero/types.hpp>

namespace everyitem::batch {

using namespace std::string_view_literals;

/// What an aggregated record begins with. A record that does not is one that the user sent so.
inline constexpr std::string_view kAggregationMagic = "\xf3\x89\x9a\xc2"sv;

/// It ends with the MD5 of what stands between.
inline constexpr std::size_t kAggregationDigestBytes = 16;

/// The message between: fields of AggregatedRecord.
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

/// Data of one aggregated record, at most, where items are smaller: two of the units of 25 KiB that
/// Kinesis bills, so that none is paid for and left empty; a twentieth of what a shard takes in a
/// second; and many to a request, whose MD5s are made side by side.
inline constexpr std::size_t kAggregatedRecordBytes = std::size_t{2} * 25 * 1024;

}  // namespace everyitem::batch
