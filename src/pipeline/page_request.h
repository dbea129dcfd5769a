// A page request's share of the memory and the read rate, which all segments share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "aws/pacer.h"
#include "base/async.h"
#include "pace/read_gate.h"
#include "source/scan_page.h"

namespace everyitem::pipeline {

/// The memory for pages that are being requested, or read but not yet packed. One event loop.
class PageRoom {
 public:
  PageRoom(const asio::any_io_executor& executor, std::size_t pages)
      : bound_(pages), changed_(executor) {}

  bool full() const { return held_ >= bound_; }
  void hold() { ++held_; }
  void let_go() {
    --held_;
    changed_.notify_one();
  }
  /// Wakes everyone who waits, so that they check their other conditions.
  void wake_all() { changed_.notify_all(); }
  Awaitable<void> wait() { return changed_.wait(); }

 private:
  std::size_t bound_;
  std::size_t held_ = 0;
  Event changed_;
};

/// One page, from when there is room for it until it is packed. While its request waits for a
/// retry, it holds neither room nor read units, which leaves them to other segments. One event
/// loop; must outlive its call.
class PageRequest final : public aws::Pacer {
 public:
  /// There is room for it. `gate` is null if reading is not limited.
  PageRequest(PageRoom& room, pace::ReadGate* gate, pace::ReadGrant& grant);
  ~PageRequest() override;

  /// Waits until it may be sent, with at most `max_items` if given.
  Awaitable<void> begin(std::optional<std::uint64_t> max_items);
  std::optional<std::uint64_t> limit() const { return grant_.limit; }
  /// The page has arrived. Throws what pace::ReadGate::settle throws.
  void end(const source::ScanPage& page);

  void failed(aws::ErrorClass error_class, bool may_have_been_applied) override;
  Awaitable<void> before_repeat() override;

 private:
  void hold();
  void let_go();

  PageRoom& room_;
  pace::ReadGate* gate_;
  pace::ReadGrant& grant_;
  bool holds_room_ = false;
};

}  // namespace everyitem::pipeline
