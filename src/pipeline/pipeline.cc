#include "pipeline/pipeline.h"

#include <algorithm>
#include <span>
#include <utility>

#include <boost/asio/cancellation_type.hpp>
#include <fmt/format.h>

#include "pipeline/undeliverable.h"

namespace everyitem::pipeline {

Pipeline::Pipeline(const asio::any_io_executor& executor, PipelineParts parts,
                   std::vector<checkpoint::SegmentProgress> start, PipelineLimits limits,
                   std::optional<std::uint64_t> item_limit)
    : executor_(executor),
      parts_(parts),
      limits_(limits),
      item_limit_(item_limit),
      start_(std::move(start)),
      tracker_(start_),
      queue_(executor, parts.builder, tracker_, limits.batch_bytes),
      reader_of_segment_(start_.size()),
      pages_saved_(start_.size()),
      page_room_(executor, limits.pages_at_once),
      progress_(executor) {
  for (const checkpoint::SegmentProgress& segment : start_) {
    if (segment.position.complete) {
      ++counters_.segments_complete;
    } else {
      segments_to_read_.push_back(segment.segment);
    }
  }
  std::ranges::reverse(segments_to_read_);
}

Awaitable<RunStatus> Pipeline::run() {
  TaskGroup reading(executor_);
  TaskGroup delivering(executor_);
  TaskGroup saving(executor_);
  TaskGroup keeping(executor_);
  asio::cancellation_signal stop_keeping;
  const auto reading_failed = [this](const std::exception_ptr& failure) { fail(failure); };
  const auto delivery_failed = [this](const std::exception_ptr& failure) {
    fail_delivery(failure);
  };

  const std::size_t readers = std::min(segments_to_read_.size(), limits_.segments_at_once);
  for (std::size_t i = 0; i < readers; ++i) {
    readers_.push_back(std::make_unique<Reader>(executor_));
    reading.spawn(read_segments(*readers_.back()), readers_.back()->cancellation.slot(),
                  reading_failed);
  }
  for (std::size_t i = 0; i < parts_.sink.max_batches_in_flight(); ++i) {
    delivering.spawn(deliver_batches(), {}, delivery_failed);
  }
  // What cannot be checkpointed need not be delivered: it will be delivered again.
  saving.spawn(save_progress(), {}, delivery_failed);
  keeping.spawn(parts_.store.keep(), stop_keeping.slot(), delivery_failed);

  co_await reading.wait();
  queue_.close();
  co_await delivering.wait();
  deliveries_ended_ = true;
  progress_.notify_all();
  co_await saving.wait();
  stop_keeping.emit(asio::cancellation_type::terminal);
  co_await keeping.wait();
  // Whatever has failed: what was acknowledged before need not be delivered again.
  saving.spawn(parts_.store.flush(), {}, delivery_failed);
  co_await saving.wait();
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  if (segment_failures_.count() > 0 && !stopping_) {
    throw segment_failures_.error(start_.size());
  }
  co_return status();
}

void Pipeline::stop() { stop_reading(); }

Awaitable<void> Pipeline::read_segments(Reader& reader) {
  // A page that was read is packed as a whole, so only the reading itself may be cancelled.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!stopping_ && !segments_to_read_.empty()) {
    const std::uint32_t segment = segments_to_read_.back();
    segments_to_read_.pop_back();
    reader_of_segment_[segment] = &reader;
    co_await read_segment(reader, segment);
    reader_of_segment_[segment] = nullptr;
  }
}

Awaitable<void> Pipeline::read_segment(Reader& reader, std::uint32_t segment) {
  source::SegmentScanner scanner(parts_.scan, segment, start_[segment].position);
  SegmentShare share;
  while (!scanner.position().complete) {
    co_await wait_for_turn(reader, segment);
    if (stopping_) {
      co_return;
    }
    PageRequest request(page_room_, parts_.pace, share);
    std::optional<source::ScanPage> page;
    try {
      page.emplace(co_await read_page(scanner, request));
    } catch (const Error& failure) {
      fail_segment(segment, failure);
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (!page) {
      co_return;
    }
    co_await pack_page(*page, segment, scanner.position());
  }
}

Awaitable<void> Pipeline::wait_for_turn(Reader& reader, std::uint32_t segment) {
  while (!stopping_ && unsaved_pages(segment) >= limits_.unsaved_pages_per_segment) {
    co_await reader.page_saved.wait();
  }
  while (!stopping_ && page_room_.full()) {
    co_await page_room_.wait();
  }
}

Awaitable<source::ScanPage> Pipeline::read_page(source::SegmentScanner& scanner,
                                                PageRequest& request) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await request.begin(request_limit());
  source::ScanPage page = co_await scanner.next(request.limit(), &request);
  request.end(page);
  ++counters_.pages_read;
  segment_failures_.page_was_read();
  counters_.items_scanned += page.scanned_count();
  counters_.items_read += page.items().size();
  counters_.read_units += page.consumed_read_units().value_or(0);
  co_return page;
}

Awaitable<void> Pipeline::pack_page(const source::ScanPage& page, std::uint32_t segment,
                                    source::ScanPosition position_after) {
  std::span<const source::Item> items = page.items();
  if (item_limit_) {
    items = items.first(std::min<std::size_t>(items.size(), *item_limit_ - items_taken_));
  }
  items_taken_ += items.size();
  if (limit_reached()) {
    // Now, not once the page is packed: that may take long, and others would ask for more
    // meanwhile.
    stop_reading();
  }
  checkpoint::PageContent content{.position_after = std::move(position_after),
                                  .items = items.size()};
  for (const source::Item& item : items) {
    content.bytes += item.json.size();
  }
  bool whole = items.size() == page.items().size();
  if (!whole) {
    // The limit cuts the page. The next run goes on behind the last item that is taken; where that
    // cannot be, the page stays open, and is read again.
    if (items.empty()) {
      co_return;
    }
    if (const auto behind = position_behind(items.back())) {
      content.position_after = *behind;
      whole = true;
    }
  }

  const source::PageId id = tracker_.open_page(segment);
  std::vector<sink::DeadLetter> too_large;
  while (!items.empty() && !queue_.discarded()) {
    const Packed packed = queue_.pack(items, id);
    items = items.subspan(packed.items);
    if (packed.next_too_large) {
      too_large.push_back(
          too_large_letter(items.front(), segment, parts_.scan.keys, parts_.builder.size_limit()));
      items = items.subspan(1);
    } else if (!items.empty()) {
      co_await queue_.room();
    }
  }
  queue_.offer();
  content.dead_letters = too_large.size();
  if (!too_large.empty() && items.empty()) {
    co_await bury(std::move(too_large));
  }
  // Nor is a page passed that was not packed to its end because deliveries have failed.
  if (whole && items.empty()) {
    tracker_.close_page(id, std::move(content));
    progress_.notify_all();
  }
}

Awaitable<void> Pipeline::deliver_batches() {
  for (;;) {
    const std::optional<batch::RecordBatch> batch = co_await queue_.take();
    if (!batch) {
      co_return;
    }
    std::vector<sink::RefusedItem> refused = co_await parts_.sink.deliver(*batch);
    const std::vector<std::uint64_t> dead_letters = count_by_page(*batch, refused);
    counters_.items_delivered += batch->items - refused.size();
    // Where the destination takes a batch as a whole, an item is a record.
    counters_.records_delivered += (batch->records.empty() ? batch->items : batch->records.size()) -
                                   sink::count_records(refused);
    counters_.bytes_delivered += batch->item_bytes;
    for (const sink::RefusedItem& item : refused) {
      counters_.bytes_delivered -= item.item.size();
    }
    ++counters_.batches_delivered;
    if (!refused.empty()) {
      co_await bury(refused_letters(*batch, std::move(refused), parts_.scan.keys));
    }
    queue_.release(*batch);
    for (std::size_t i = 0; i < batch->pages.size(); ++i) {
      tracker_.acknowledge(batch->pages[i].page, dead_letters[i]);
    }
    progress_.notify_all();
  }
}

/// Returns once the letters are safe: only then may the frontier pass their items.
Awaitable<void> Pipeline::bury(std::vector<sink::DeadLetter> letters) {
  const std::size_t count = letters.size();
  const std::string first = fmt::format("an item of segment {} cannot be delivered: {}",
                                        letters.front().segment, letters.front().reason);
  co_await parts_.dead_letters->write(std::move(letters));
  if (counters_.dead_letters == 0) {
    notice(first + "; it and others like it go to the dead letters");
  }
  counters_.dead_letters += count;
}

Awaitable<void> Pipeline::save_progress() {
  for (;;) {
    const std::vector<std::uint32_t> moved = tracker_.take_moved();
    if (moved.empty()) {
      if (deliveries_ended_) {
        co_return;
      }
      co_await progress_.wait();
      continue;
    }
    // Everything that moved meanwhile is written at once: the slower the store, the more.
    std::vector<checkpoint::SegmentProgress> progress;
    std::vector<std::uint64_t> pages;
    for (const std::uint32_t segment : moved) {
      progress.push_back(tracker_.progress(segment));
      pages.push_back(tracker_.pages_passed(segment));
    }
    co_await parts_.store.save(progress);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      pages_saved_[moved[i]] = pages[i];
      counters_.segments_complete += progress[i].position.complete ? 1 : 0;
      if (Reader* reader = reader_of_segment_[moved[i]]) {
        reader->page_saved.notify_all();
      }
    }
  }
}

void Pipeline::stop_reading() {
  stopping_ = true;
  for (const auto& reader : readers_) {
    reader->cancellation.emit(asio::cancellation_type::terminal);
    reader->page_saved.notify_all();
  }
  page_room_.wake_all();
}

void Pipeline::notice(const std::string& text) const {
  if (parts_.notice) {
    parts_.notice(text);
  }
}

void Pipeline::fail_segment(std::uint32_t segment, const Error& failure) {
  if (!segment_failures_.keep(segment, failure, readers_.size())) {
    fail(std::make_exception_ptr(failure));
    return;
  }
  if (++counters_.segments_failed == 1) {
    notice(fmt::format("segment {} cannot be read any further, the others go on: {}", segment,
                       failure.what()));
  }
}

void Pipeline::fail(const std::exception_ptr& failure) {
  if (!failure_) {
    failure_ = failure;
  }
  stop_reading();
}

void Pipeline::fail_delivery(const std::exception_ptr& failure) {
  queue_.discard();
  try {
    std::rethrow_exception(failure);
  } catch (const sink::DestinationClosed&) {
    destination_closed_ = true;
    stop_reading();
  } catch (...) {
    fail(failure);
  }
}

RunStatus Pipeline::status() const {
  if (counters_.segments_complete == start_.size()) {
    return RunStatus::complete;
  }
  if (destination_closed_) {
    return RunStatus::closed;
  }
  return limit_reached() ? RunStatus::limit_reached : RunStatus::interrupted;
}

bool Pipeline::limit_reached() const { return item_limit_ && items_taken_ >= *item_limit_; }

std::optional<source::ScanPosition> Pipeline::position_behind(const source::Item& item) const {
  return parts_.scan.requests.of_index() ? std::nullopt
                                         : source::position_behind(item, parts_.scan.keys);
}

std::optional<std::uint64_t> Pipeline::request_limit() const {
  // Scan's Limit counts items before the filter: behind a filter it makes pages small, which is
  // worth it only where a page cannot be cut.
  const source::ScanRequests& requests = parts_.scan.requests;
  const bool can_be_cut = !requests.of_index() && !requests.projected();
  if (!item_limit_ || (requests.filtered() && can_be_cut)) {
    return std::nullopt;
  }
  return *item_limit_ - items_taken_;
}

std::uint64_t Pipeline::unsaved_pages(std::uint32_t segment) const {
  return tracker_.pages_passed(segment) + tracker_.open_pages(segment) - pages_saved_[segment];
}

}  // namespace everyitem::pipeline
