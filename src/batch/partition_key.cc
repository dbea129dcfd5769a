#include "batch/partition_key.h"

#include <array>

#include <xxhash.h>

namespace everyitem::batch {

std::uint64_t key_hash(const source::Item& item) {
  if (item.hash_key.empty()) {
    return XXH3_64bits(item.json.data(), item.json.size());
  }
  const std::uint64_t hash = XXH3_64bits(item.hash_key.data(), item.hash_key.size());
  return XXH3_64bits_withSeed(item.range_key.data(), item.range_key.size(), hash);
}

void PartitionKeys::append_key(std::string& out, const source::Item& item) const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::uint64_t bits = random_ != nullptr ? random_->bits() : key_hash(item);
  std::array<char, kPartitionKeyLength> text;
  for (char& digit : text) {
    digit = kDigits[bits >> 60];
    bits <<= 4;
  }
  out.append(text.data(), text.size());
}

}  // namespace everyitem::batch
