// Between those who read pages and those who send batches.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>

#include "base/async.h"
#include "batch/batch_builder.h"
#include "checkpoint/ack_tracker.h"
#include "source/scan_page.h"

namespace everyitem::pipeline {

/// How far `BatchQueue::pack` came.
struct Packed {
  std::size_t items = 0;
  bool next_too_large = false;  ///< the item behind these fits into no batch
};

/// Packs items into batches and holds these until somebody sends them. A batch that is not full
/// leaves when nothing else waits to be sent: so batches are full when the destination is the slow
/// side, and nothing is held back when it is not; no timer is needed. One event loop.
class BatchQueue {
 public:
  /// Holds up to about `bound_bytes` of batches, those being sent included. `hashes`: whether those
  /// who send need RecordBatch::sha256.
  BatchQueue(const asio::any_io_executor& executor, batch::BatchBuilder& builder,
             checkpoint::AckTracker& tracker, std::size_t bound_bytes, bool hashes);

  /// Packs `items` of `page` from the front, until a batch is full, there are too many bytes, or
  /// one comes that fits into no batch. Tells the tracker of each batch that holds some. Where
  /// items are left, it is called again after `room`.
  Packed pack(std::span<const source::Item> items, source::PageId page);
  /// Gives those who send a turn, while the batch that became full is still in the processor's
  /// cache; then returns when there is room, or when batches are dropped.
  Awaitable<void> room();
  /// The items given so far may leave, though their batch be not full.
  void offer();

  /// The next batch, to be sent and then given back (`release`); nothing when the queue is closed
  /// and empty.
  Awaitable<std::optional<batch::RecordBatch>> take();
  /// A batch that was taken is done with.
  void release(const batch::RecordBatch& batch);

  /// No more items come: what is there may still be taken.
  void close();
  /// Deliveries have failed: what is there is dropped, and nothing may be packed any more.
  void discard();
  bool discarded() const { return discarded_; }

 private:
  void seal();
  void hash_newest();

  batch::BatchBuilder& builder_;
  checkpoint::AckTracker& tracker_;
  std::size_t bound_bytes_;
  std::size_t held_bytes_ = 0;
  bool hashes_;
  std::deque<batch::RecordBatch> sealed_;
  std::size_t unhashed_ = 0;  ///< of sealed_, the last
  bool closed_ = false;
  bool discarded_ = false;
  Event batch_ready_;
  Event room_;
};

}  // namespace everyitem::pipeline
