#include "batch/partition_key.h"

#include <bit>

#include <xxhash.h>

namespace everyitem::batch {

namespace {

/// The eight digits of `bits`, the first of them in the first byte in memory.
std::uint64_t hex_digits(std::uint32_t bits) {
  // One digit per byte, the last in the lowest.
  std::uint64_t digits = bits;
  digits = (digits | digits << 16) & 0x0000ffff0000ffff;
  digits = (digits | digits << 8) & 0x00ff00ff00ff00ff;
  digits = (digits | digits << 4) & 0x0f0f0f0f0f0f0f0f;
  const std::uint64_t letters = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
  digits += 0x3030303030303030 + letters * ('a' - '0' - 10);
  return std::endian::native == std::endian::little ? __builtin_bswap64(digits) : digits;
}

}  // namespace

std::uint64_t key_hash(const source::Item& item) {
  if (item.hash_key.empty()) {
    return XXH3_64bits(item.json.data(), item.json.size());
  }
  const std::uint64_t hash = XXH3_64bits(item.hash_key.data(), item.hash_key.size());
  return XXH3_64bits_withSeed(item.range_key.data(), item.range_key.size(), hash);
}

PartitionKey partition_key(std::uint64_t bits) {
  return {{hex_digits(static_cast<std::uint32_t>(bits >> 32)),
           hex_digits(static_cast<std::uint32_t>(bits))}};
}

}  // namespace everyitem::batch
