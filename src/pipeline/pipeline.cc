#include "pipeline/pipeline.h"

#include <algorithm>
#include <span>
#include <utility>

#include <boost/asio/cancellation_type.hpp>

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
      page_room_(executor),
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

  co_await reading.wait();
  queue_.close();
  co_await delivering.wait();
  deliveries_ended_ = true;
  progress_.notify_all();
  co_await saving.wait();
  if (failure_) {
    std::rethrow_exception(failure_);
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
  while (!scanner.position().complete) {
    co_await wait_for_turn(reader, segment);
    if (stopping_) {
      co_return;
    }
    const PageHold hold(*this);
    const source::ScanPage page = co_await read_page(scanner);
    co_await pack_page(page, segment, scanner.position());
  }
}

Awaitable<void> Pipeline::wait_for_turn(Reader& reader, std::uint32_t segment) {
  while (!stopping_ && unsaved_pages(segment) >= limits_.unsaved_pages_per_segment) {
    co_await reader.page_saved.wait();
  }
  while (!stopping_ && pages_held_ >= limits_.pages_at_once) {
    co_await page_room_.wait();
  }
}

Awaitable<source::ScanPage> Pipeline::read_page(source::SegmentScanner& scanner) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  source::ScanPage page = co_await scanner.next(request_limit());
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  ++counters_.pages_read;
  counters_.items_scanned += page.scanned_count();
  counters_.read_units += page.consumed_read_units();
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
  while (!items.empty() && !queue_.discarded()) {
    items = items.subspan(queue_.pack(items, id));
    if (!items.empty()) {
      co_await queue_.room();
    }
  }
  queue_.offer();
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
    co_await parts_.sink.deliver(*batch);
    queue_.release(*batch);
    for (const source::PageId page : batch->pages) {
      tracker_.acknowledge(page);
    }
    counters_.items_delivered += batch->items;
    // Where the destination takes a batch as a whole, an item is a record.
    counters_.records_delivered += batch->records.empty() ? batch->items : batch->records.size();
    counters_.bytes_delivered += batch->item_bytes;
    ++counters_.batches_delivered;
    progress_.notify_all();
  }
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
  page_room_.notify_all();
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
