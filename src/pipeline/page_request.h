// A page request's share of the memory and the read rate, which all segments share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "aws/pacer.h"
#include "base/async.h"
#include "pace/read_gate.h"
#include "pipeline/pipeline_limits.h"
#include "pipeline/waiting_line.h"
#include "source/scan_page.h"

namespace everyitem::pipeline {

/// The memory for pages that are being requested, or read but not yet packed. One event loop.
class PageRoom {
 public:
  struct Size {
    std::size_t bytes = 0;   ///< of the page as it was sent
    std::size_t memory = 0;  ///< that it takes, its items included
  };

  explicit PageRoom(const PipelineLimits& limits)
      : max_pages_(limits.pages_at_once), max_memory_(limits.page_bytes) {}

  /// Whether there is no room for another page. There always is for one.
  bool full() const {
    return pages_ >= max_pages_ || (pages_ > 0 && held_.memory + expected_.memory > max_memory_);
  }
  /// Of all pages; for those that are being requested, what is expected of them.
  const Size& held() const { return held_; }

  /// Makes room for a page that will be requested. Returns how much, which must be let go later.
  Size hold();
  void let_go(const Size& size);
  /// A page of this size has arrived; `expected` was held for it.
  void arrived(const Size& expected, const Size& size);

 private:
  std::size_t max_pages_;
  std::size_t max_memory_;
  std::size_t pages_ = 0;
  Size held_;
  /// Of the next page: as large as the largest of the last pages.
  Size expected_{.bytes = 1U << 20, .memory = 1U << 20};
  bool any_arrived_ = false;
};

/// One page, from when there is room for it until it is packed. While its request waits for a
/// retry, it holds neither room nor read units, which leaves them to other segments. One event
/// loop; must outlive its call.
class PageRequest final : public aws::Pacer {
 public:
  /// There is room for it. `line`: where those wait who need room; with `rank`, if it is needed
  /// again. `gate` is null if reading is not limited.
  PageRequest(PageRoom& room, WaitingLine& line, std::uint32_t rank, pace::ReadGate* gate,
              pace::ReadGrant& grant);
  ~PageRequest() override;
  PageRequest(const PageRequest&) = delete;
  PageRequest& operator=(const PageRequest&) = delete;

  /// Waits until it may be sent, with at most `max_items` if given.
  Awaitable<void> begin(std::optional<std::uint64_t> max_items);
  std::optional<std::uint64_t> limit() const { return grant_.limit; }
  /// The page has arrived. Throws what pace::ReadGate::settle throws.
  void end(const source::ScanPage& page);

  void failed(aws::ErrorClass error_class, bool may_have_been_applied) override;
  Awaitable<void> before_repeat() override;

 private:
  void let_go();

  PageRoom& room_;
  WaitingLine& line_;
  std::uint32_t rank_;
  pace::ReadGate* gate_;
  pace::ReadGrant& grant_;
  std::optional<PageRoom::Size> held_;
};

}  // namespace everyitem::pipeline
