// One event loop's share of a run: its segments are read, packed, delivered, acknowledged,
// checkpointed. This is the one place that sees all of it, and that shows that nothing is
// checkpointed before its destination has it:
//
//   read_segment -> BatchQueue -> deliver_batches -> AckTracker -> save_progress
//        |                              |
//        `----- write_dead_letters ------'   what can never be delivered goes to the dead letters
//        first
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/guarded.h"
#include "batch/batch_builder.h"
#include "checkpoint/ack_tracker.h"
#include "pace/read_gate.h"
#include "pipeline/batch_queue.h"
#include "pipeline/checkpoint_writer.h"
#include "pipeline/delivery_pace.h"
#include "pipeline/page_request.h"
#include "pipeline/pipeline_limits.h"
#include "pipeline/run_control.h"
#include "pipeline/run_parts.h"
#include "pipeline/run_report.h"
#include "pipeline/waiting_line.h"
#include "sink/dead_letters.h"
#include "sink/sink.h"
#include "source/page_reader.h"

namespace everyitem::pipeline {

/// A lane's own parts, used only on its event loop. All of them outlive the lane.
struct LaneParts {
  asio::any_io_executor executor;  ///< that loop
  source::PartSource& source;
  batch::BatchBuilder& builder;
  sink::Sink& sink;  ///< may be shared with other lanes, if it says so
};

/// Shared by the lanes of a run, and outlives them.
struct LaneContext {
  sink::DeadLetters* dead_letters;  ///< null if the destination takes every item
  RunParts& parts;
  asio::any_io_executor home;  ///< the loop on which `parts` is used
  CheckpointWriter& checkpoint;
  pace::ReadGate* read_gate;  ///< null if reading is not limited
  Clock& clock;
  RunControl& control;
};

/// A lane's share of the work and of the limits.
struct LaneShare {
  std::uint32_t segments;                   ///< of the run
  std::size_t readers;                      ///< how many of them the lane reads at the same time
  PipelineLimits limits;                    ///< this lane's limits
  std::optional<std::uint64_t> item_limit;  ///< stop after this many items
};

/// Used from its event loop, unless stated otherwise.
class Lane {
 public:
  Lane(LaneParts parts, LaneContext context, LaneShare share);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Reads and delivers until there is nothing left, or it is stopped. Failures are reported to the
  /// RunControl: if a delivery fails, reading stops, and what was read is delivered and
  /// checkpointed as far as possible.
  Awaitable<void> run();

  /// Stops reading and packing; what was packed is delivered and checkpointed. The page that is
  /// being packed is cut.
  void stop();
  /// Leaves what is not acknowledged to the next process.
  void give_up_deliveries();
  /// Leaves what is not in the checkpoint to the next process.
  void give_up_saving();
  /// Lets another process read the segment, if this lane reads it, as soon as what was read of it
  /// is in the checkpoint.
  void return_part(std::uint32_t segment);

  const asio::any_io_executor& executor() const { return parts_.executor; }
  /// From any thread.
  RunCounters counters() const { return counters_.get(); }
  Backlog backlog() const { return backlog_.get(); }
  /// After it has run: whether it was stopped, and whether by the item limit.
  bool stopped() const { return stopping_; }
  bool limit_reached() const;

 private:
  /// A coroutine that reads one segment after another.
  struct Reader {
    explicit Reader(const asio::any_io_executor& executor) : page_saved(executor) {}
    /// Ends a request in flight, and the wait for a part.
    asio::cancellation_signal cancellation;
    /// Ends the write of letters. Another signal, because a signal of another type takes back one
    /// that its coroutine has not noticed yet.
    asio::cancellation_signal letters_given_up;
    Event page_saved;            ///< for the segment it is reading
    std::optional<PartEnd> end;  ///< why it does not read that to its end
    bool ends = false;           ///< whether there is one
  };

  /// While a page is being packed.
  class PackingTurn {
   public:
    explicit PackingTurn(Lane& lane) : lane_(lane) { ++lane_.packing_; }
    ~PackingTurn() {
      --lane_.packing_;
      lane_.packing_line_.wake();
    }
    PackingTurn(const PackingTurn&) = delete;
    PackingTurn& operator=(const PackingTurn&) = delete;

   private:
    Lane& lane_;
  };

  Awaitable<void> read_segments(Reader& reader);
  Awaitable<std::optional<checkpoint::SegmentProgress>> next_part();
  Awaitable<void> read_segment(Reader& reader, std::uint32_t segment);
  Awaitable<void> give_segment_up(Reader& reader, std::uint32_t segment);
  void end_part(Reader& reader, PartEnd why);
  Awaitable<void> wait_for_turn(Reader& reader, std::uint32_t segment);
  Awaitable<source::ScanPage> read_page(source::PageReader& pages, PageRequest& request);
  Awaitable<void> pack_page(const source::ScanPage& page, std::uint32_t segment,
                            source::ScanPosition position_after);
  Awaitable<void> pack_items(source::Items items, source::PageId page,
                             checkpoint::PageContent& content,
                             std::vector<sink::DeadLetter>& too_large);
  Awaitable<void> deliver_batches();
  Awaitable<bool> write_unless_given_up(Reader& reader, std::vector<sink::DeadLetter> letters);
  Awaitable<void> write_dead_letters(std::vector<sink::DeadLetter> letters);
  Awaitable<void> save_progress();

  Awaitable<void> until_given_up(Awaitable<void> work, const bool& given_up);
  void fail_delivery(const std::exception_ptr& failure);
  void stop_reading();
  std::uint32_t rank_of(std::uint32_t segment) const;
  bool may_read_ahead() const;
  std::uint64_t packed_ahead() const;
  void note_backlog();
  std::optional<std::uint64_t> page_limit() const;
  std::uint64_t unsaved_pages(std::uint32_t segment) const;

  LaneParts parts_;
  LaneContext context_;
  LaneShare share_;

  checkpoint::AckTracker tracker_;
  DeliveryPace pace_;
  BatchQueue queue_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<Reader*> reader_of_segment_;  ///< null for segments that are not being read
  std::vector<std::uint64_t> pages_saved_;  ///< the number of checkpointed pages per segment
  PageRoom page_room_;
  WaitingLine reading_line_;  ///< who waits to request a page
  WaitingLine packing_line_;  ///< who waits to pack one; if there is no room, after the one before
  Event progress_;            ///< a frontier moved, or deliveries ended
  std::list<asio::cancellation_signal> delivery_cancellations_;
  asio::cancellation_signal saving_cancellation_;

  bool stopping_ = false;  ///< no new pages are read
  int packing_ = 0;        ///< pages that are being packed
  bool deliveries_ended_ = false;
  bool deliveries_given_up_ = false;
  bool saving_given_up_ = false;
  std::uint64_t items_held_ = 0;  ///< packed, and not yet acknowledged
  std::uint64_t items_taken_ = 0;
  Guarded<RunCounters> counters_;
  Guarded<Backlog> backlog_;
};

}  // namespace everyitem::pipeline
