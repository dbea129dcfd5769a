#include "pipeline/lane.h"

#include <algorithm>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "base/on_loop.h"
#include "checkpoint/checkpoint_store.h"
#include "pipeline/task_group.h"
#include "pipeline/undeliverable.h"

namespace everyitem::pipeline {

namespace {

void count_delivered(const Delivered& delivered, RunCounters& counters) {
  counters.items_delivered += delivered.items;
  counters.records_delivered += delivered.records;
  counters.bytes_delivered += delivered.bytes;
  ++counters.batches_delivered;
}

}  // namespace

Lane::Lane(LaneParts parts, LaneContext context, LaneShare share)
    : parts_(std::move(parts)),
      context_(context),
      share_(share),
      tracker_(checkpoint::fresh_segments(share_.segments)),
      pace_(context.clock),
      queue_(parts_.executor, parts_.builder, tracker_, share_.limits.batch_bytes,
             parts_.sink.needs_sha256(), parts_.source.keys()),
      reader_of_segment_(share_.segments),
      pages_saved_(share_.segments),
      page_room_(parts_.executor, share_.limits),
      reading_line_(parts_.executor, [this] { return stopping_ || may_read_ahead(); }),
      packing_line_(parts_.executor, [this] { return packing_ == 0 || !queue_.full(); }),
      progress_(parts_.executor) {
  queue_.bound_items(packed_ahead());
}

Awaitable<void> Lane::run() {
  TaskGroup reading(parts_.executor);
  TaskGroup delivering(parts_.executor);
  TaskGroup saving(parts_.executor);
  const auto reading_failed = [this](const std::exception_ptr& failure) {
    context_.control.fail(failure);
  };
  const auto delivery_failed = [this](const std::exception_ptr& failure) {
    fail_delivery(failure);
  };

  for (std::size_t i = 0; i < share_.readers; ++i) {
    readers_.push_back(std::make_unique<Reader>(parts_.executor));
    reading.spawn(read_segments(*readers_.back()), readers_.back()->cancellation.slot(),
                  reading_failed);
  }
  for (std::size_t i = 0; i < parts_.sink.max_batches_in_flight(); ++i) {
    delivering.spawn(until_given_up(deliver_batches(), deliveries_given_up_),
                     delivery_cancellations_.emplace_back().slot(), delivery_failed);
  }
  // Without a checkpoint there is no point in delivering: it would be delivered again.
  saving.spawn(until_given_up(save_progress(), saving_given_up_), saving_cancellation_.slot(),
               delivery_failed);

  co_await reading.wait();
  queue_.close();
  co_await delivering.wait();
  deliveries_ended_ = true;
  progress_.notify_all();
  co_await saving.wait();
}

void Lane::stop() {
  stop_reading();
  queue_.end_packing();
}

void Lane::stop_reading() {
  stopping_ = true;
  for (const auto& reader : readers_) {
    reader->cancellation.emit(asio::cancellation_type::terminal);
    reader->page_saved.notify_all();
  }
  reading_line_.wake();
}

void Lane::give_up_deliveries() {
  deliveries_given_up_ = true;
  queue_.discard();
  for (asio::cancellation_signal& delivery : delivery_cancellations_) {
    delivery.emit(asio::cancellation_type::terminal);
  }
  for (const auto& reader : readers_) {
    reader->letters_given_up.emit(asio::cancellation_type::terminal);
  }
}

void Lane::give_up_saving() {
  saving_given_up_ = true;
  saving_cancellation_.emit(asio::cancellation_type::terminal);
}

/// Cancelled by anyone else, it has failed.
Awaitable<void> Lane::until_given_up(Awaitable<void> work, const bool& given_up) {
  try {
    co_await std::move(work);
  } catch (...) {
    if (!given_up) {
      fail_delivery(std::current_exception());
    }
  }
}

Awaitable<void> Lane::read_segments(Reader& reader) {
  // A page that was read is packed completely, so only the reading itself can be cancelled.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!stopping_) {
    std::optional<checkpoint::SegmentProgress> part = co_await next_part();
    if (!part) {
      co_return;
    }
    const std::uint32_t segment = part->segment;
    tracker_.begin(*std::move(part));
    reader.end.reset();
    reader.ends = false;
    reader_of_segment_[segment] = &reader;
    co_await read_segment(reader, segment);
    if (reader.end) {
      co_await give_segment_up(reader, segment);
    }
    reader_of_segment_[segment] = nullptr;
  }
}

Awaitable<std::optional<checkpoint::SegmentProgress>> Lane::next_part() {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  std::optional<checkpoint::SegmentProgress> part;
  try {
    part = co_await on_loop(context_.home, context_.parts.next());
  } catch (const boost::system::system_error&) {
    if (!stopping_) {
      throw;
    }
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_return part;
}

/// Once what was read of it is saved.
Awaitable<void> Lane::give_segment_up(Reader& reader, std::uint32_t segment) {
  while (!stopping_ && unsaved_pages(segment) > 0) {
    co_await reader.page_saved.wait();
  }
  if (!stopping_ && !tracker_.progress(segment).position.complete) {
    co_await on_loop(context_.home, context_.parts.ended(segment, *reader.end));
  }
}

void Lane::return_part(std::uint32_t segment) {
  if (Reader* reader = reader_of_segment_[segment]; reader != nullptr && !reader->end) {
    end_part(*reader, PartEnd::returned);
  }
}

void Lane::end_part(Reader& reader, PartEnd why) {
  reader.end = why;
  reader.ends = true;
  reader.page_saved.notify_all();
  reading_line_.wake_all();
}

Awaitable<void> Lane::read_segment(Reader& reader, std::uint32_t segment) {
  const std::unique_ptr<source::PageReader> pages =
      parts_.source.open(segment, tracker_.progress(segment).position);
  pace::ReadGrant grant;
  while (!pages->position().complete) {
    co_await wait_for_turn(reader, segment);
    if (stopping_ || reader.end) {
      co_return;
    }
    PageRequest request(page_room_, reading_line_, rank_of(segment), context_.read_gate, grant);
    std::optional<source::ScanPage> page;
    try {
      page.emplace(co_await read_page(*pages, request));
    } catch (const Error& failure) {
      const bool kept = context_.control.segment_failed(segment, failure);
      counters_.with([&](RunCounters& counters) { counters.segments_failed += kept ? 1 : 0; });
      end_part(reader, PartEnd::failed);
    }
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (!page) {
      co_return;
    }
    co_await pack_page(*page, segment, pages->position());
  }
}

Awaitable<void> Lane::wait_for_turn(Reader& reader, std::uint32_t segment) {
  while (!stopping_ && !reader.end &&
         unsaved_pages(segment) >= share_.limits.unsaved_pages_per_segment) {
    co_await reader.page_saved.wait();
  }
  co_await reading_line_.pass(rank_of(segment), reader.ends);
}

/// Where the destination is the slow side, parts are read and packed one after the other: a run
/// that ends early has as many of them as possible finished, and few pages are open.
std::uint32_t Lane::rank_of(std::uint32_t segment) const {
  return parts_.sink.wants_part_by_part() ? segment : 0;
}

bool Lane::may_read_ahead() const {
  return !page_room_.full() && page_room_.held().bytes + queue_.held_item_bytes() <
                                   pace_.bytes_within(share_.limits.ahead);
}

std::uint64_t Lane::packed_ahead() const { return pace_.bytes_within(share_.limits.ahead * 3 / 5); }

Awaitable<source::ScanPage> Lane::read_page(source::PageReader& pages, PageRequest& request) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await request.begin(page_limit());
  source::ScanPage page = co_await pages.next(request.limit(), &request);
  request.end(page);
  context_.control.page_was_read();
  counters_.with([&](RunCounters& counters) {
    ++counters.pages_read;
    counters.items_scanned += page.scanned_count();
    counters.items_read += page.items().size();
    counters.read_units += page.consumed_read_units().value_or(0);
  });
  co_return page;
}

Awaitable<void> Lane::pack_page(const source::ScanPage& page, std::uint32_t segment,
                                source::ScanPosition position_after) {
  source::Items items = page.items();
  if (share_.item_limit) {
    items = items.first(std::min<std::size_t>(items.size(), *share_.item_limit - items_taken_));
  }
  items_taken_ += items.size();
  if (limit_reached()) {
    // Now rather than when the page is packed: that can take long, and meanwhile others would
    // request more.
    stop_reading();
  }
  if (!items.empty()) {
    co_await packing_line_.pass(rank_of(segment));
  }
  const source::PageId id = tracker_.open_page(segment);
  checkpoint::PageContent content{.position_after = std::move(position_after)};
  std::vector<sink::DeadLetter> too_large;
  if (!items.empty()) {
    co_await pack_items(items, id, content, too_large);
  }
  if (content.items < page.items().size()) {
    // The limit, or a stop, cuts the page. The next run continues after the last item packed; if
    // that is not possible, the page stays open and is read again.
    const auto after = content.items > 0
                           ? parts_.source.position_after(page.items()[content.items - 1])
                           : std::nullopt;
    if (!after) {
      co_return;
    }
    content.position_after = *after;
  }
  // If deliveries have failed, it stays open too.
  if (queue_.discarded()) {
    co_return;
  }
  content.dead_letters = too_large.size();
  if (!too_large.empty() &&
      !co_await write_unless_given_up(*reader_of_segment_[segment], std::move(too_large))) {
    co_return;
  }
  tracker_.close_page(id, std::move(content));
  progress_.notify_all();
}

/// Once there is no room for more, nobody begins another page before this one is packed, so that
/// pages are complete one after the other. Leaves in `content` how far it got.
Awaitable<void> Lane::pack_items(source::Items items, source::PageId page,
                                 checkpoint::PageContent& content,
                                 std::vector<sink::DeadLetter>& too_large) {
  const PackingTurn turn(*this);
  while (content.items < items.size() && !queue_.packing_ended()) {
    const auto rest = items.from(content.items);
    const Packed packed = queue_.pack(rest, page);
    content.items += packed.items;
    content.bytes += packed.bytes;
    items_held_ += packed.items;
    note_backlog();
    if (packed.next_too_large) {
      const source::Item item = rest[packed.items];
      too_large.push_back(
          too_large_letter(item, page.segment, parts_.source.keys(), parts_.builder));
      content.bytes += item.json.size();
      ++content.items;
    } else if (content.items < items.size()) {
      co_await queue_.room();
    }
  }
  queue_.offer();
}

Awaitable<void> Lane::deliver_batches() {
  for (;;) {
    const std::optional<batch::RecordBatch> batch = co_await queue_.take();
    if (!batch) {
      co_return;
    }
    pace_.begin();
    std::vector<sink::RefusedItem> refused = co_await parts_.sink.deliver(*batch);
    const Delivered delivered = delivered_of(*batch, refused);
    counters_.with([&](RunCounters& counters) { count_delivered(delivered, counters); });
    if (!refused.empty()) {
      co_await write_dead_letters(
          refused_letters(*batch, std::move(refused), parts_.source.keys()));
    }
    pace_.end(delivered.batch_bytes);
    queue_.bound_items(packed_ahead());
    queue_.release(*batch, delivered.batch_bytes);
    items_held_ -= batch->items.size();
    note_backlog();
    reading_line_.wake();
    for (std::size_t i = 0; i < batch->pages.size(); ++i) {
      tracker_.acknowledge(batch->pages[i].page, delivered.refused_by_page[i]);
    }
    progress_.notify_all();
  }
}

/// For a reader: a stop does not end the write, because the page is finished first, but giving up
/// does. False if that was so.
Awaitable<bool> Lane::write_unless_given_up(Reader& reader, std::vector<sink::DeadLetter> letters) {
  bool written = false;
  try {
    Awaitable<void> writing = write_dead_letters(std::move(letters));
    co_await asio::co_spawn(
        parts_.executor, std::move(writing),
        asio::bind_cancellation_slot(reader.letters_given_up.slot(), asio::use_awaitable));
    written = true;
  } catch (...) {
    if (!deliveries_given_up_) {
      throw;
    }
  }
  co_return written;
}

/// Returns once the letters are safe; only then may the frontier pass their items.
Awaitable<void> Lane::write_dead_letters(std::vector<sink::DeadLetter> letters) {
  const std::size_t count = letters.size();
  const std::string first = fmt::format("an item of segment {} cannot be delivered: {}",
                                        letters.front().segment, letters.front().reason);
  co_await context_.dead_letters->write(std::move(letters));
  context_.control.dead_letters_written(first);
  counters_.with([&](RunCounters& counters) { counters.dead_letters += count; });
}

Awaitable<void> Lane::save_progress() {
  for (;;) {
    const std::vector<std::uint32_t> moved = tracker_.drain_moved();
    if (moved.empty()) {
      if (deliveries_ended_) {
        co_return;
      }
      co_await progress_.wait();
      continue;
    }
    // Everything that moved in the meantime is written together: the slower the store, the more.
    std::vector<checkpoint::SegmentProgress> progress;
    std::vector<std::uint64_t> pages;
    for (const std::uint32_t segment : moved) {
      progress.push_back(tracker_.progress(segment));
      pages.push_back(tracker_.pages_passed(segment));
    }
    const std::vector<std::uint32_t> lost = co_await context_.checkpoint.save(progress);
    const auto is_lost = [&lost](std::uint32_t segment) {
      return std::ranges::find(lost, segment) != lost.end();
    };
    std::uint32_t complete = 0;
    for (const checkpoint::SegmentProgress& saved : progress) {
      Reader* const reader = reader_of_segment_[saved.segment];
      if (saved.position.complete) {
        complete += is_lost(saved.segment) ? 0 : 1;
      } else if (reader != nullptr && is_lost(saved.segment)) {
        end_part(*reader, PartEnd::lost);
      }
    }
    std::uint64_t pages_saved = 0;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      pages_saved += pages[i] - std::exchange(pages_saved_[moved[i]], pages[i]);
    }
    counters_.with([&](RunCounters& counters) {
      counters.segments_complete += complete;
      counters.pages_checkpointed += pages_saved;
    });
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (Reader* reader = reader_of_segment_[moved[i]]) {
        reader->page_saved.notify_all();
      }
    }
  }
}

void Lane::note_backlog() {
  const double bytes = static_cast<double>(queue_.held_item_bytes());
  const Backlog backlog{.items = items_held_,
                        .time = std::chrono::duration<double>(bytes / pace_.bytes_per_second())};
  backlog_.with([&](Backlog& noted) { noted = backlog; });
}

void Lane::fail_delivery(const std::exception_ptr& failure) {
  queue_.discard();
  try {
    std::rethrow_exception(failure);
  } catch (const sink::DestinationClosed&) {
    context_.control.destination_closed();
  } catch (...) {
    context_.control.fail(failure);
  }
}

bool Lane::limit_reached() const { return share_.item_limit && items_taken_ >= *share_.item_limit; }

std::optional<std::uint64_t> Lane::page_limit() const {
  return share_.item_limit ? parts_.source.page_limit(*share_.item_limit - items_taken_)
                           : std::nullopt;
}

std::uint64_t Lane::unsaved_pages(std::uint32_t segment) const {
  return tracker_.pages_passed(segment) + tracker_.open_pages(segment) - pages_saved_[segment];
}

}  // namespace everyitem::pipeline
