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
#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>

#include "base/async.h"
#include "base/error.h"
#include "base/guarded.h"
#include "batch/batch_builder.h"
#include "checkpoint/ack_tracker.h"
#include "pace/read_gate.h"
#include "pipeline/batch_queue.h"
#include "pipeline/checkpoint_writer.h"
#include "pipeline/page_request.h"
#include "pipeline/pipeline_limits.h"
#include "pipeline/run_control.h"
#include "pipeline/run_report.h"
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
  CheckpointWriter& checkpoint;
  pace::ReadGate* read_gate;  ///< null if reading is not limited
  RunControl& control;
};

/// A lane's share of the segments and limits.
struct LaneShare {
  std::vector<checkpoint::SegmentProgress> start;  ///< the position of every segment of the run
  std::vector<std::uint32_t> segments;             ///< the segments this lane reads
  PipelineLimits limits;                           ///< this lane's limits
  std::optional<std::uint64_t> item_limit;         ///< stop after this many items
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

  /// Stops reading; what was read is delivered and checkpointed.
  void stop();

  const asio::any_io_executor& executor() const { return parts_.executor; }
  /// From any thread.
  RunCounters counters() const { return counters_.get(); }
  /// After it has run: whether it was stopped, and whether by the item limit.
  bool stopped() const { return stopping_; }
  bool limit_reached() const;

 private:
  /// A coroutine that reads one segment after another.
  struct Reader {
    explicit Reader(const asio::any_io_executor& executor) : page_saved(executor) {}
    asio::cancellation_signal cancellation;  ///< ends a request in flight
    Event page_saved;                        ///< for the segment it is reading
  };

  Awaitable<void> read_segments(Reader& reader);
  Awaitable<void> read_segment(Reader& reader, std::uint32_t segment);
  Awaitable<void> wait_for_turn(Reader& reader, std::uint32_t segment);
  Awaitable<source::ScanPage> read_page(source::PageReader& pages, PageRequest& request);
  Awaitable<void> pack_page(const source::ScanPage& page, std::uint32_t segment,
                            source::ScanPosition position_after);
  Awaitable<void> deliver_batches();
  Awaitable<void> write_dead_letters(std::vector<sink::DeadLetter> letters);
  Awaitable<void> save_progress();

  void fail_delivery(const std::exception_ptr& failure);
  std::optional<std::uint64_t> page_limit() const;
  std::uint64_t unsaved_pages(std::uint32_t segment) const;

  LaneParts parts_;
  LaneContext context_;
  LaneShare share_;

  checkpoint::AckTracker tracker_;
  BatchQueue queue_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<Reader*> reader_of_segment_;  ///< null for segments that are not being read
  std::vector<std::uint64_t> pages_saved_;  ///< the number of checkpointed pages per segment
  PageRoom page_room_;
  Event progress_;  ///< a frontier moved, or deliveries ended

  bool stopping_ = false;  ///< no new pages are read
  bool deliveries_ended_ = false;
  std::uint64_t items_taken_ = 0;
  Guarded<RunCounters> counters_;
};

}  // namespace everyitem::pipeline
