// The shards of a stream: whose range of hashes a record falls into, and how much each takes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace everyitem::faults {

/// What a shard takes; 0 for no limit. Kinesis's own are 1,000 records and 1 MiB.
struct ShardLimits {
  std::uint64_t records_per_second = 0;
  std::uint64_t bytes_per_second = 0;
};

/// One event loop.
class StreamShards {
 public:
  using Time = std::chrono::steady_clock::time_point;

  StreamShards(std::uint32_t shards, ShardLimits limits);

  std::uint32_t open_shards() const { return static_cast<std::uint32_t>(allowances_.size()); }

  /// The open shard, from 0, that a record belongs to: by its explicit hash key where that is not
  /// empty, or the MD5 of its partition key. Nothing where the explicit one is not a number below
  /// 2^128. Ranges are of equal length, to 1/2^32 of all hashes.
  std::optional<std::uint32_t> shard_of(std::string_view partition_key,
                                        std::string_view explicit_hash_key) const;
  /// Such as "shardId-000000000003".
  const std::string& id_of(std::uint32_t shard) const { return ids_.at(shard); }

  /// Whether the shard takes a record of so many bytes now. What is not used is saved up for one
  /// second; a record larger than that is taken when something is left, and owed.
  bool take(std::uint32_t shard, std::size_t bytes, Time now);

  /// Closes every shard and opens two new ones in its place.
  void split_all();

 private:
  struct Allowance {
    double records = 0;
    double bytes = 0;
    std::optional<Time> as_of;  ///< before the first record: all of it is there
  };

  void open(std::size_t shards);

  ShardLimits limits_;
  std::vector<Allowance> allowances_;
  std::vector<std::string> ids_;
  std::uint32_t next_id_ = 0;  ///< no two shards of a stream have one id, open or closed
};

}  // namespace everyitem::faults
