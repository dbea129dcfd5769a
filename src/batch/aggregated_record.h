// One Kinesis record that holds many items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/md5.h"
#include "base/padded_buffer.h"
#include "batch/partition_key.h"
#include "batch/shard_map.h"

namespace everyitem::batch {

/// An aggregated record that is being filled. All its items have the same explicit hash key as the
/// record itself. So each item belongs to whatever shard the record lands on, even if the stream is
/// resharded meanwhile, and no consumer has a reason to drop it.
class AggregatedRecord {
 public:
  /// Adds an item, whose bytes are copied. The first item's key and hash key become the record's.
  /// Returns where in data() the item's bytes begin.
  std::size_t add(std::string_view data, PartitionKey key, HashKey hash_key);

  /// Makes the processor fetch the first cache lines that the next item will be written to; it
  /// fetches the ones after them by itself.
  void fetch_end() const {
    constexpr std::size_t kCacheLine = 64;
    for (std::size_t line = 0; line < 3; ++line) {
      __builtin_prefetch(buffer_.data() + buffer_.size() + line * kCacheLine, 1);
    }
  }

  /// Makes an empty record hold just `data`, without aggregation.
  void hold_plain(std::string_view data, PartitionKey key, HashKey hash_key);
  bool is_plain() const { return plain_; }

  bool empty() const { return items_ == 0; }
  std::uint64_t items() const { return items_; }
  PartitionKey partition_key() const { return partition_key_; }
  HashKey hash_key() const { return hash_key_; }

  /// Upper bound, within a few bytes, of the whole record's size, including its digest, after one
  /// more item of `data_bytes`.
  std::size_t size_with(std::size_t data_bytes) const;

  /// The part of the record that its digest covers.
  std::string_view digested() const&;
  std::string_view digested() && = delete;
  /// Ends the record: nothing may be added any more.
  void close(const Md5& digest);
  /// The data of the record, once it is closed, or plain.
  std::string_view data() const& { return buffer_.view(); }
  std::string_view data() && = delete;
  std::size_t size() const { return buffer_.size(); }

  /// Makes it empty. Keeps its memory, unless it was plain, as that may be large.
  void clear();

 private:
  void begin(PartitionKey key, HashKey hash_key);

  PaddedBuffer buffer_;
  std::uint64_t items_ = 0;
  PartitionKey partition_key_{};
  HashKey hash_key_ = 0;
  bool plain_ = false;
};

}  // namespace everyitem::batch
