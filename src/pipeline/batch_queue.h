// Between those who read pages and those who send batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "batch/batch_builder.h"
#include "checkpoint/ack_tracker.h"
#include "source/scan_page.h"

namespace everyitem::pipeline {

/// How far `BatchQueue::pack` got.
struct Packed {
  std::size_t items = 0;
  std::uint64_t bytes = 0;      ///< of these, in their format
  bool next_too_large = false;  ///< the item after these fits into no batch
};

/// Packs items into batches and holds the batches until a sender takes them. A batch that is not
/// full is handed out when no other is waiting. So batches are full when the destination is the
/// slow side, and nothing is held back when it is not; no timer is needed. One event loop.
class BatchQueue {
 public:
  /// Holds up to about `bound_bytes` of batches, including those being sent. `hashes`: whether the
  /// senders need RecordBatch::sha256. `keys`: of the items that are packed; outlives the queue.
  BatchQueue(const asio::any_io_executor& executor, batch::BatchBuilder& builder,
             checkpoint::AckTracker& tracker, std::size_t bound_bytes, bool hashes,
             const source::KeyNames& keys);

  /// Holds up to about this many bytes of items too. Without it there is no such bound.
  void bound_items(std::uint64_t bytes) { bound_item_bytes_ = bytes; }

  /// Packs `items` of `page` from the front, until a batch is full, too many bytes are held, or an
  /// item fits into no batch. Tells the tracker of each batch that holds some of them. If items are
  /// left, wait for `room` and call it again.
  Packed pack(const source::Items& items, source::PageId page);
  /// Gives the senders a turn, and who else packs, while the batch that became full is still in the
  /// processor's cache; then returns once there is room, or packing has ended.
  Awaitable<void> room();
  /// Allows the items packed so far to be sent, even if their batch is not full.
  void offer();

  /// The next batch, to be sent and then released; nothing once the queue is closed and empty.
  Awaitable<std::optional<batch::RecordBatch>> take();
  /// A batch that was taken is no longer needed. `item_bytes`: of its items.
  void release(const batch::RecordBatch& batch, std::uint64_t item_bytes);

  /// Whether nothing can be packed before batches are released.
  bool full() const { return held_bytes_ > bound_bytes_ || held_item_bytes_ > bound_item_bytes_; }
  /// Bytes of the items packed, until their batches are released.
  std::uint64_t held_item_bytes() const { return held_item_bytes_; }

  /// No more items should be packed, not even the rest of a page. Wakes who waits for room.
  void end_packing();
  bool packing_ended() const { return packing_ended_; }
  /// No more items will come: the batches there may still be taken.
  void close();
  /// Deliveries have failed: drops the batches there. Nothing may be packed from now on.
  void discard();
  bool discarded() const { return discarded_; }

 private:
  void seal();
  void hash_newest();

  batch::BatchBuilder& builder_;
  checkpoint::AckTracker& tracker_;
  std::size_t bound_bytes_;
  std::size_t held_bytes_ = 0;
  std::uint64_t bound_item_bytes_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t held_item_bytes_ = 0;
  bool hashes_;
  const source::KeyNames& keys_;
  std::vector<std::string> separate_keys_;   ///< of the batch being built
  std::optional<source::PageId> last_page_;  ///< whose items the batch being built has last
  std::deque<batch::RecordBatch> sealed_;
  std::size_t unhashed_ = 0;  ///< this many of sealed_, at the back
  bool closed_ = false;
  bool packing_ended_ = false;
  bool discarded_ = false;
  Event batch_ready_;
  Event room_;
};

}  // namespace everyitem::pipeline
