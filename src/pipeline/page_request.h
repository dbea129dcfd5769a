// A page request's share of the memory and the read rate, which all segments share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "aws/pacer.h"
#include "base/async.h"
#include "pace/read_gate.h"
#include "pipeline/pipeline_limits.h"
#include "pipeline/waiting_line.h"
#include "source/scan_page.h"

namespace everyitem::pipeline {

/// The memory for pages that are being requested, or read but not yet packed. What they need is
/// guessed before they are requested, and known before their bodies are read. One event loop.
class PageRoom {
 public:
  struct Size {
    std::size_t bytes = 0;   ///< of the page as it was sent
    std::size_t memory = 0;  ///< that it takes, its items included
    bool let_in = false;     ///< its body may be read, or has been
  };

  PageRoom(asio::any_io_executor executor, const PipelineLimits& limits)
      : max_pages_(limits.pages_at_once),
        max_memory_(limits.page_bytes),
        bodies_(std::move(executor), [this] { return memory_let_in_ < max_memory_; }) {}

  /// Whether there is no room for another page. There always is for one.
  bool full() const {
    return pages_ >= max_pages_ || (pages_ > 0 && held_.memory + expected_.memory > max_memory_);
  }
  /// Of all pages; for those that are being requested, what is expected of them.
  const Size& held() const { return held_; }

  /// Makes room for a page that will be requested. Returns how much, which must be let go later.
  Size hold();
  void let_go(const Size& size);
  /// Waits until `body_bytes` may be read, for which `size` is held; a line of those who wait, by
  /// `rank`. There always is room for one. Throws what WaitingLine::pass throws.
  Awaitable<void> let_in(Size& size, std::size_t body_bytes, std::uint32_t rank);
  /// A page of this size has arrived, for which `held` was held until now.
  void arrived(Size& held, std::size_t bytes, std::size_t memory);

 private:
  void add(const Size& size);
  void subtract(const Size& size);

  std::size_t max_pages_;
  std::size_t max_memory_;
  std::size_t pages_ = 0;
  Size held_;
  std::size_t memory_let_in_ = 0;
  WaitingLine bodies_;
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

  Awaitable<void> before_body(std::size_t max_bytes) override {
    return room_.let_in(*held_, max_bytes, rank_);
  }
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
