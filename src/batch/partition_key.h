// Which shard an item goes to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/clock.h"
#include "source/scan_page.h"

namespace everyitem::batch {

/// Characters of every partition key made here: 64 bits in lower-case hexadecimal.
inline constexpr std::size_t kPartitionKeyLength = 16;

/// A partition key, as two words that have its bytes in memory order, so that it stays in registers
/// until it is written.
struct PartitionKey {
  std::array<std::uint64_t, 2> words;

  /// Writes kPartitionKeyLength characters and returns their end.
  char* write_to(char* to) const {
    std::memcpy(to, &words[0], sizeof(words[0]));
    std::memcpy(to + sizeof(words[0]), &words[1], sizeof(words[1]));
    return to + kPartitionKeyLength;
  }
};
static_assert(sizeof(PartitionKey) == kPartitionKeyLength);

/// A hash (XXH3, 64 bits) of the item's whole primary key. The same item always gets the same
/// partition key, so all its records go to one shard, in order; and items are spread over all
/// shards, even those that share a hash key. An item that came without its key is hashed as a
/// whole.
std::uint64_t key_hash(const source::Item& item);

PartitionKey partition_key(std::uint64_t bits);

/// Makes partition keys. One event loop.
class PartitionKeys {
 public:
  /// From the item's own primary key.
  PartitionKeys() = default;
  /// At random. `random` outlives this.
  explicit PartitionKeys(Random& random) : random_(&random) {}

  PartitionKey key(const source::Item& item) const { return partition_key(bits(item)); }
  /// The bits that the key of an item is made from.
  std::uint64_t bits(const source::Item& item) const {
    return random_ != nullptr ? random_->bits() : key_hash(item);
  }

 private:
  Random* random_ = nullptr;
};

}  // namespace everyitem::batch
