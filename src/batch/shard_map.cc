#include "batch/shard_map.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace everyitem::batch {

std::string decimal(HashKey key) { return fmt::format("{}", key); }

std::optional<HashKey> parse_hash_key(std::string_view text) {
  HashKey key = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    const auto value = static_cast<HashKey>(digit - '0');
    if (key > (kLastHashKey - value) / 10) {
      return std::nullopt;
    }
    key = key * 10 + value;
  }
  return text.empty() ? std::nullopt : std::optional(key);
}

ShardMap::ShardMap(std::vector<Shard> open) : shards_(std::move(open)) {
  std::ranges::sort(shards_, {}, &Shard::first);
  HashKey next = 0;
  bool whole = false;
  for (const Shard& shard : shards_) {
    if (whole || shard.first != next || shard.last < shard.first) {
      throw std::invalid_argument(
          fmt::format("the hash keys of shard {} do not follow the previous shard's", shard.id));
    }
    whole = shard.last == kLastHashKey;
    next = shard.last + 1;
    first_.push_back(shard.first);
  }
  if (!whole) {
    throw std::invalid_argument("the shards do not cover all hash keys");
  }
}

ShardMap ShardMap::evenly(std::uint32_t count) {
  const HashKey width = kLastHashKey / count;
  std::vector<Shard> shards(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    shards[i] = {.id = {}, .first = width * i, .last = width * (i + 1) - 1};
  }
  shards.back().last = kLastHashKey;
  return ShardMap(std::move(shards));
}

std::size_t ShardMap::shard_of(HashKey key) const {
  // Usually all shards are of the same size, and then this is the one.
  const HashKey top_half = key >> 64;
  const auto guess = static_cast<std::size_t>(top_half * first_.size() >> 64);
  if (first_[guess] <= key && (guess + 1 == first_.size() || key < first_[guess + 1])) {
    return guess;
  }
  const auto behind = std::ranges::upper_bound(first_, key);
  return static_cast<std::size_t>(behind - first_.begin()) - 1;
}

}  // namespace everyitem::batch
