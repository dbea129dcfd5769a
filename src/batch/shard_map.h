// Which shard of a stream takes which part of the hash keys.
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

/// A record's place among the shards: a number of 128 bits. Kinesis takes the MD5 of the partition
/// key, read as a big-endian number, or the ExplicitHashKey (API reference, PutRecords).
__extension__ using HashKey = unsigned __int128;

inline constexpr HashKey kLastHashKey = ~HashKey{0};

/// Of 2^128 - 1, the largest.
inline constexpr std::size_t kMaxHashKeyDigits = 39;

/// As Kinesis writes it: decimal, without leading zeros.
std::string decimal(HashKey key);
/// Nothing where `text` is not a decimal number below 2^128.
std::optional<HashKey> parse_hash_key(std::string_view text);

/// An open shard and the hash keys that it takes, both ends included.
struct Shard {
  std::string id;
  HashKey first = 0;
  HashKey last = kLastHashKey;

  friend bool operator==(const Shard&, const Shard&) = default;
};

/// The open shards of a stream at one time, in the order of their hash keys.
class ShardMap {
 public:
  /// Throws std::invalid_argument unless each hash key belongs to just one of `open`, which may
  /// come in any order.
  explicit ShardMap(std::vector<Shard> open);

  /// `count` shards, 1 or more, of as many hash keys each, whose names are not known.
  static ShardMap evenly(std::uint32_t count);

  /// The place of the shard that takes `key`.
  std::size_t shard_of(HashKey key) const;
  const std::vector<Shard>& shards() const { return shards_; }

  friend bool operator==(const ShardMap&, const ShardMap&) = default;

 private:
  std::vector<Shard> shards_;
  std::vector<HashKey> first_;  ///< of each shard
};

/// A map as it was at one time. Whoever holds it may read it, whatever comes after it.
using ShardMapAtOneTime = std::shared_ptr<const ShardMap>;

/// The newest map of a stream that is known: those who send replace it, those who build records
/// look it up. From any thread.
class CurrentShards {
 public:
  explicit CurrentShards(ShardMap map) { replace(std::move(map)); }

  /// Another object with each map.
  ShardMapAtOneTime newest() const { return newest_.get(); }
  void replace(ShardMap map) {
    newest_.with([made = std::make_shared<const ShardMap>(std::move(map))](
                     ShardMapAtOneTime& newest) { newest = made; });
  }

 private:
  Guarded<ShardMapAtOneTime> newest_;
};

}  // namespace everyitem::batch
