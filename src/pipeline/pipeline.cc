#include "pipeline/pipeline.h"

#include <algorithm>
#include <span>
#include <utility>

#include <boost/asio/cancellation_type.hpp>
#include <fmt/format.h>

#include "aws/service_error.h"
#include "base/human_format.h"

namespace everyitem::pipeline {

namespace {

/// Whether the other segments would fail, too: what the service says of the caller, the table or
/// the whole scan. A request can be refused as not valid for its start key, which is its segment's
/// alone; but not before any other was accepted.
bool concerns_all_segments(const Error& failure, bool pages_were_read) {
  if (failure.kind() == ErrorKind::usage || failure.details().code.empty()) {
    return failure.kind() == ErrorKind::usage;
  }
  switch (aws::classify(400, failure.details().code)) {
    case aws::ErrorClass::throttle:
    case aws::ErrorClass::transient:
      return false;
    case aws::ErrorClass::invalid:
      return !pages_were_read;
    case aws::ErrorClass::expired_credentials:
    case aws::ErrorClass::clock_skew:
    case aws::ErrorClass::fatal:
      return true;
  }
  return true;
}

sink::DeadLetter letter_for_too_large(const source::Item& item, std::uint32_t segment,
                                      const PipelineParts& parts) {
  const auto key = source::position_behind(item, parts.scan.keys);
  return {.segment = segment,
          .code = {},
          .reason = fmt::format("its JSON has {} bytes, and {}", grouped(item.json.size()),
                                parts.builder.size_limit()),
          .key = key ? key->last_evaluated_key : std::string(),
          .item = std::string(item.json)};
}

/// The place in batch.pages of the page that a record's item is of.
std::size_t page_of(const batch::RecordBatch& batch, std::uint32_t record) {
  std::size_t page = 0;
  for (std::uint64_t end = batch.pages[0].items; end <= record; end += batch.pages[page].items) {
    ++page;
  }
  return page;
}

/// How many of the refused records are of each of batch.pages.
std::vector<std::uint64_t> count_by_page(const batch::RecordBatch& batch,
                                         const std::vector<sink::RefusedRecord>& refused) {
  std::vector<std::uint64_t> counts(batch.pages.size());
  for (const sink::RefusedRecord& record : refused) {
    ++counts[page_of(batch, record.index)];
  }
  return counts;
}

}  // namespace

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
  if (!failed_segments_.empty() && !stopping_) {
    throw incomplete_segments();
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
    std::optional<source::ScanPage> page;
    try {
      page.emplace(co_await read_page(scanner));
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
  while (!stopping_ && pages_held_ >= limits_.pages_at_once) {
    co_await page_room_.wait();
  }
}

Awaitable<source::ScanPage> Pipeline::read_page(source::SegmentScanner& scanner) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  source::ScanPage page = co_await scanner.next(request_limit());
  ++counters_.pages_read;
  failed_since_last_page_ = 0;
  counters_.items_scanned += page.scanned_count();
  counters_.items_read += page.items().size();
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
  std::vector<sink::DeadLetter> too_large;
  while (!items.empty() && !queue_.discarded()) {
    const Packed packed = queue_.pack(items, id);
    items = items.subspan(packed.items);
    if (packed.next_too_large) {
      too_large.push_back(letter_for_too_large(items.front(), segment, parts_));
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
    std::vector<sink::RefusedRecord> refused = co_await parts_.sink.deliver(*batch);
    const std::vector<std::uint64_t> dead_letters = count_by_page(*batch, refused);
    counters_.items_delivered += batch->items - refused.size();
    // Where the destination takes a batch as a whole, an item is a record.
    counters_.records_delivered +=
        (batch->records.empty() ? batch->items : batch->records.size()) - refused.size();
    counters_.bytes_delivered += batch->item_bytes;
    for (const sink::RefusedRecord& record : refused) {
      counters_.bytes_delivered -= record.item.size();
    }
    ++counters_.batches_delivered;
    if (!refused.empty()) {
      co_await bury(letters_for(*batch, std::move(refused)));
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

std::vector<sink::DeadLetter> Pipeline::letters_for(
    const batch::RecordBatch& batch, std::vector<sink::RefusedRecord> refused) const {
  std::vector<sink::DeadLetter> letters;
  for (sink::RefusedRecord& record : refused) {
    letters.push_back({.segment = batch.pages[page_of(batch, record.index)].page.segment,
                       .code = std::move(record.code),
                       .reason = std::move(record.reason),
                       .key = source::key_of(record.item, parts_.scan.keys),
                       .item = std::move(record.item)});
  }
  return letters;
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

void Pipeline::notice(const std::string& text) const {
  if (parts_.notice) {
    parts_.notice(text);
  }
}

void Pipeline::fail_segment(std::uint32_t segment, const Error& failure) {
  // Where every reader has met a failure and no page came in between, the next segments will do no
  // better.
  const bool nothing_comes = ++failed_since_last_page_ >= readers_.size();
  if (nothing_comes || concerns_all_segments(failure, counters_.pages_read > 0)) {
    fail(std::make_exception_ptr(failure));
    return;
  }
  failed_segments_.push_back(segment);
  ++counters_.segments_failed;
  if (!first_segment_failure_) {
    first_segment_failure_ = failure.details();
    notice(fmt::format("segment {} cannot be read any further, the others go on: {}", segment,
                       failure.what()));
  }
}

/// What keeps the run from being complete, though all else was delivered.
Error Pipeline::incomplete_segments() const {
  constexpr std::size_t kNamed = 10;
  const auto named = std::span(failed_segments_).first(std::min(kNamed, failed_segments_.size()));
  ErrorDetails details = *first_segment_failure_;
  details.message += fmt::format("; {} of {} segments could not be read to their end ({}{})",
                                 failed_segments_.size(), start_.size(), fmt::join(named, ", "),
                                 failed_segments_.size() > kNamed ? ", ..." : "");
  return Error(ErrorKind::failed, std::move(details));
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
