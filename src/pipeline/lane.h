// One event loop's share of a run: its segments are read, packed, delivered, acknowledged,
// checkpointed. This is the one place that sees all of it, and that shows that nothing is
// checkpointed before its destination has it:
//
//   read_segment -> BatchQueue -> deliver_batches -> AckTracker -> save_progress
//        |                              |
//        `--------- bury ---------------'   what can never be delivered: into the dead letters,
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

/// What a lane has for itself, used on its event loop alone. All of it outlives the lane.
struct LaneParts {
  asio::any_io_executor executor;  ///< of that loop
  source::PartSource& source;
  batch::BatchBuilder& builder;
  sink::Sink& sink;  ///< may be that of other lanes, where it says so
};

/// What the lanes of a run share. All of it outlives them.
struct LaneSurroundings {
  sink::DeadLetters* dead_letters;  ///< null where the destination takes every item
  CheckpointWriter& checkpoint;
  pace::ReadGate* read_gate;  ///< null: nothing holds reading back
  RunControl& control;
};

/// Which segments are whose.
struct LaneShare {
  std::vector<checkpoint::SegmentProgress> start;  ///< where every segment of the run stands
  std::vector<std::uint32_t> segments;             ///< of these, what this lane is to read
  PipelineLimits limits;                           ///< of this lane
  std::optional<std::uint64_t> item_limit;         ///< stop after so many items
};

/// Used from its event loop, but for what says otherwise.
class Lane {
 public:
  Lane(LaneParts parts, LaneSurroundings surroundings, LaneShare share);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  /// Reads and delivers until there is no more, or it is stopped. What fails is told to the
  /// RunControl: when a delivery does, no more is read, and what was read is delivered and
  /// checkpointed as far as that is possible.
  Awaitable<void> run();

  /// No more is read, what was read is delivered and checkpointed.
  void stop();

  const asio::any_io_executor& executor() const { return parts_.executor; }
  /// From any thread.
  RunCounters counters() const { return counters_.get(); }
  /// Once it has run: whether it was stopped, and whether by the limit of items.
  bool stopped() const { return stopping_; }
  bool limit_reached() const;

 private:
  /// A coroutine that reads segments, one after the other.
  struct Reader {
    explicit Reader(const asio::any_io_executor& executor) : page_saved(executor) {}
    asio::cancellation_signal cancellation;  ///< ends a request that is under way
    Event page_saved;                        ///< of the segment that it reads
  };

  Awaitable<void> read_segments(Reader& reader);
  Awaitable<void> read_segment(Reader& reader, std::uint32_t segment);
  Awaitable<void> wait_for_turn(Reader& reader, std::uint32_t segment);
  Awaitable<source::ScanPage> read_page(source::PageReader& pages, PageRequest& request);
  Awaitable<void> pack_page(const source::ScanPage& page, std::uint32_t segment,
                            source::ScanPosition position_after);
  Awaitable<void> deliver_batches();
  Awaitable<void> bury(std::vector<sink::DeadLetter> letters);
  Awaitable<void> save_progress();

  void fail_delivery(const std::exception_ptr& failure);
  std::optional<std::uint64_t> page_limit() const;
  std::uint64_t unsaved_pages(std::uint32_t segment) const;

  LaneParts parts_;
  LaneSurroundings surroundings_;
  LaneShare share_;

  checkpoint::AckTracker tracker_;
  BatchQueue queue_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<Reader*> reader_of_segment_;  ///< null for those that nobody reads now
  std::vector<std::uint64_t> pages_saved_;  ///< of each segment, how many are checkpointed
  PageRoom page_room_;
  Event progress_;  ///< a frontier moved, or deliveries ended

  bool stopping_ = false;  ///< nothing more is read
  bool deliveries_ended_ = false;
  std::uint64_t items_taken_ = 0;
  Guarded<RunCounters> counters_;
};

}  // namespace everyitem::pipeline
