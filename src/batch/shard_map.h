// Which shard of a stream takes which range of hash keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/guarded.h"

namespace everyitem::batch {

/// Decides the shard of a record: a number of 128 bits. Kinesis takes the MD5 of the partition key,
/// read as a big-endian number, or the ExplicitHashKey (API reference, PutRecords).
__extension__ using HashKey = unsigned __int128;

inline constexpr HashKey kLastHashKey = ~HashKey{0};

/// Digits of the largest hash key, 2^128 - 1.
inline constexpr std::size_t kMaxHashKeyDigits = 39;

/// As Kinesis writes a hash key: decimal, without leading zeros.
std::string decimal(HashKey key);
/// Nothing if `text` is not a decimal number below 2^128.
std::optional<HashKey> parse_hash_key(std::string_view text);

/// An open shard and the range of hash keys that it takes, both ends included.
struct Shard {
  std::string id;
  HashKey first = 0;
  HashKey last = kLastHashKey;

  friend bool operator==(const Shard&, const Shard&) = default;
};

/// The open shards of a stream at one time, ordered by hash key.
class ShardMap {
 public:
  /// `open` may be in any order. Throws std::invalid_argument unless every hash key belongs to
  /// exactly one of them.
  explicit ShardMap(std::vector<Shard> open);

  /// `count` shards, at least one, without ids, that share the hash keys evenly.
  static ShardMap evenly(std::uint32_t count);

  /// Index into shards() of the shard that takes `key`.
  std::size_t shard_of(HashKey key) const;
  const std::vector<Shard>& shards() const { return shards_; }

  friend bool operator==(const ShardMap&, const ShardMap&) = default;

 private:
  std::vector<Shard> shards_;
  std::vector<HashKey> first_;  ///< of each shard
};

/// A map as it was at one time. It stays valid for as long as it is held, even if a newer map has
/// replaced it.
using ShardMapAtOneTime = std::shared_ptr<const ShardMap>;

/// The newest known map of a stream: sinks replace it, builders look it up. From any thread.
class CurrentShards {
 public:
  explicit CurrentShards(ShardMap map) { replace(std::move(map)); }

  /// A different object for each map.
  ShardMapAtOneTime newest() const { return newest_.get(); }
  void replace(ShardMap map) {
    newest_.with([made = std::make_shared<const ShardMap>(std::move(map))](
                     ShardMapAtOneTime& newest) { newest = made; });
  }

 private:
  Guarded<ShardMapAtOneTime> newest_;
};

}  // namespace everyitem::batch
