#include "emulator/stream_shards.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "base/md5.h"

namespace everyitem::emulator {

namespace {

/// The first 32 bits of a digest.
std::uint32_t head(const Md5& digest) {
  return std::uint32_t{digest[0]} << 24 | std::uint32_t{digest[1]} << 16 |
         std::uint32_t{digest[2]} << 8 | std::uint32_t{digest[3]};
}

/// The first 32 of the 128 bits of a decimal number; nothing if it is not one or is too large.
std::optional<std::uint32_t> decimal_head(std::string_view digits) {
  std::array<std::uint64_t, 4> parts{};  // 32 bits each, the lowest first
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    std::uint64_t carry = static_cast<std::uint64_t>(digit - '0');
    for (std::uint64_t& part : parts) {
      carry += part * 10;
      part = carry & 0xffffffffU;
      carry >>= 32;
    }
    if (carry > 0) {
      return std::nullopt;
    }
  }
  return static_cast<std::uint32_t>(parts.back());
}

}  // namespace

StreamShards::StreamShards(std::uint32_t shards, ShardLimits limits) : limits_(limits) {
  if (shards == 0) {
    throw std::invalid_argument("a stream has at least one shard");
  }
  open(shards);
}

std::optional<std::uint32_t> StreamShards::shard_of(std::string_view partition_key,
                                                    std::string_view explicit_hash_key) const {
  const auto bits =
      explicit_hash_key.empty() ? head(md5(partition_key)) : decimal_head(explicit_hash_key);
  return bits ? std::optional(shard_at(*bits)) : std::nullopt;
}

bool StreamShards::place(std::span<PutRecord> records) const {
  thread_local std::vector<std::string_view> keys;
  thread_local std::vector<Md5> digests;
  keys.clear();
  for (PutRecord& record : records) {
    if (record.explicit_hash_key.empty()) {
      keys.push_back(record.partition_key);
    } else if (const auto shard = shard_of({}, record.explicit_hash_key)) {
      record.shard = *shard;
    } else {
      return false;
    }
  }
  digests.resize(keys.size());
  md5_each(keys, digests);
  auto digest = digests.begin();
  for (PutRecord& record : records) {
    if (record.explicit_hash_key.empty()) {
      record.shard = shard_at(head(*digest++));
    }
  }
  return true;
}

std::uint32_t StreamShards::shard_at(std::uint32_t bits) const {
  return static_cast<std::uint32_t>(std::uint64_t{bits} * open_shards() >> 32);
}

bool StreamShards::take(std::uint32_t shard, std::size_t bytes, Time now) {
  Allowance& left = allowances_.at(shard);
  const auto max_records = static_cast<double>(limits_.records_per_second);
  const auto max_bytes = static_cast<double>(limits_.bytes_per_second);
  const double seconds =
      left.as_of ? std::chrono::duration<double>(now - *left.as_of).count() : 1.0;
  left.as_of = now;
  left.records = std::min(max_records, left.records + seconds * max_records);
  left.bytes = std::min(max_bytes, left.bytes + seconds * max_bytes);
  if ((limits_.records_per_second > 0 && left.records < 1) ||
      (limits_.bytes_per_second > 0 && left.bytes <= 0)) {
    return false;
  }
  left.records -= 1;
  left.bytes -= static_cast<double>(bytes);
  return true;
}

void StreamShards::split_all() { open(allowances_.size() * 2); }

void StreamShards::open(std::size_t shards) {
  allowances_.assign(shards, {});
  for (ListedShard& shard : listed_) {
    shard.closed = true;
  }
  closed_ = listed_.size();
  // The first hash key of a shard is the first whose 32 bits shard_of sends there.
  const auto first_of = [&](std::uint64_t shard) {
    return batch::HashKey{((shard << 32) + shards - 1) / shards} << 96;
  };
  for (std::size_t i = 0; i < shards; ++i) {
    const bool is_last = i + 1 == shards;
    listed_.push_back({.shard = {.id = fmt::format("shardId-{:012}", closed_ + i),
                                 .first = first_of(i),
                                 .last = is_last ? batch::kLastHashKey : first_of(i + 1) - 1}});
  }
}

}  // namespace everyitem::emulator
