// The shards of a stream: whose range of hashes a record falls into, and how much each takes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "batch/shard_map.h"
#include "emulator/put_records_wire.h"

namespace everyitem::emulator {

/// What a shard takes; 0 for no limit. Kinesis's own are 1,000 records and 1 MiB.
struct ShardLimits {
  std::uint64_t records_per_second = 0;
  std::uint64_t bytes_per_second = 0;
};

/// A shard as ListShards tells of it.
struct ListedShard {
  batch::Shard shard;
  bool closed = false;  ///< it takes no more records; those that it has are still there
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
  /// Sets the shard of each record. False where an explicit hash key is not a number below 2^128.
  bool place(std::span<PutRecord> records) const;
  /// Such as "shardId-000000000003".
  const std::string& id_of(std::uint32_t shard) const {
    return listed_.at(closed_ + shard).shard.id;
  }
  /// All shards, including closed ones, by id; open ones come last.
  const std::vector<ListedShard>& all() const { return listed_; }

  /// Whether the shard accepts a record of this size now. Unused capacity is saved up for one
  /// second; a larger record is accepted if anything is left, and the rest is owed.
  bool take(std::uint32_t shard, std::size_t bytes, Time now);

  /// Closes every shard and opens two new ones in its place.
  void split_all();

 private:
  struct Allowance {
    double records = 0;
    double bytes = 0;
    std::optional<Time> as_of;  ///< before the first record: all of it is there
  };

  /// Where the hashes are that begin with these bits.
  std::uint32_t shard_at(std::uint32_t bits) const;
  void open(std::size_t shards);

  ShardLimits limits_;
  std::vector<Allowance> allowances_;
  std::vector<ListedShard> listed_;
  std::size_t closed_ = 0;  ///< of listed_, the first
};

}  // namespace everyitem::emulator
