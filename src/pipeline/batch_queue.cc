#include "pipeline/batch_queue.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "base/sha256.h"

namespace everyitem::pipeline {

BatchQueue::BatchQueue(const asio::any_io_executor& executor, batch::BatchBuilder& builder,
                       checkpoint::AckTracker& tracker, std::size_t bound_bytes, bool hashes,
                       const source::KeyNames& keys)
    : builder_(builder),
      tracker_(tracker),
      bound_bytes_(bound_bytes),
      hashes_(hashes),
      keys_(keys),
      batch_ready_(executor),
      room_(executor) {}

Packed BatchQueue::pack(const source::Items& items, source::PageId page) {
  Packed packed;
  if (items.empty() || full()) {
    return packed;
  }
  const std::uint64_t formatted_before = builder_.formatted_bytes();
  const batch::AddedItems added = builder_.add_all(items, page);
  packed.items = added.count;
  std::uint64_t item_bytes = 0;
  for (const source::Item item : items.first(added.count)) {
    item_bytes += item.json.size();
  }
  held_item_bytes_ += item_bytes;
  const std::uint64_t formatted = builder_.formatted_bytes() - formatted_before;
  packed.bytes = formatted > 0 ? formatted : item_bytes;
  packed.next_too_large = added.next == batch::AddResult::too_large;
  if (added.count > 0 && last_page_ != page) {
    // As RecordBatch::add does: one entry for each run of a page's items.
    tracker_.add_batch(page);
    last_page_ = page;
  }
  if (keys_.added.any()) {
    for (const source::Item item : items.first(added.count)) {
      separate_keys_.push_back(source::key_of(item, keys_));
    }
  }
  if (added.next == batch::AddResult::full) {
    seal();
  }
  return packed;
}

Awaitable<void> BatchQueue::room() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  while (full() && !packing_ended_) {
    if (held_bytes_ == 0) {
      offer();  // all that is held is less than a batch
    }
    co_await room_.wait();
  }
}

void BatchQueue::offer() {
  if (!builder_.empty()) {
    batch_ready_.notify_one();
  }
}

Awaitable<std::optional<batch::RecordBatch>> BatchQueue::take() {
  for (;;) {
    if (sealed_.empty() && !builder_.empty() && !discarded_) {
      seal();
    }
    if (!sealed_.empty()) {
      batch::RecordBatch batch = std::move(sealed_.front());
      sealed_.pop_front();
      unhashed_ = std::min(unhashed_, sealed_.size());
      co_return batch;
    }
    if (closed_) {
      co_return std::nullopt;
    }
    co_await batch_ready_.wait();
  }
}

void BatchQueue::release(const batch::RecordBatch& batch, std::uint64_t item_bytes) {
  held_bytes_ -= batch.memory_bytes();
  held_item_bytes_ -= item_bytes;
  room_.notify_all();
}

void BatchQueue::end_packing() {
  packing_ended_ = true;
  room_.notify_all();
}

void BatchQueue::close() {
  closed_ = true;
  batch_ready_.notify_all();
}

void BatchQueue::discard() {
  discarded_ = true;
  for (const batch::RecordBatch& batch : sealed_) {
    held_bytes_ -= batch.memory_bytes();
  }
  sealed_.clear();
  unhashed_ = 0;
  close();
  end_packing();
}

void BatchQueue::seal() {
  sealed_.push_back(builder_.seal());
  sealed_.back().separate_keys = std::exchange(separate_keys_, {});
  last_page_.reset();
  held_bytes_ += sealed_.back().memory_bytes();
  if (hashes_ && ++unhashed_ == sha256_side_by_side()) {
    hash_newest();
  }
  batch_ready_.notify_one();
}

/// Batches that have to wait are hashed here: together, and while they are still in the processor's
/// cache. A sender that takes one before that hashes it itself, and then is not the slow side.
void BatchQueue::hash_newest() {
  std::vector<std::string_view> bodies;
  for (auto batch = sealed_.end() - static_cast<std::ptrdiff_t>(unhashed_); batch != sealed_.end();
       ++batch) {
    bodies.push_back(batch->body.view());
  }
  std::vector<Sha256> digests(bodies.size());
  sha256_each(bodies, digests);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    sealed_[sealed_.size() - digests.size() + i].sha256 = digests[i];
  }
  unhashed_ = 0;
}

}  // namespace everyitem::pipeline
