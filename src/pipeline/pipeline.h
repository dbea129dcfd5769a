// The stages, wired: segments are read, packed, delivered, acknowledged, checkpointed. This is the
// one place that sees all of it, and that shows that nothing is checkpointed before its destination
// has it:
//
//   read_segment -> BatchQueue -> deliver_batches -> AckTracker -> save_progress
//        |                              |
//        `--------- bury ---------------'   what can never be delivered: into the dead letters,
//        first
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>

#include "base/async.h"
#include "base/error.h"
#include "batch/batch_builder.h"
#include "checkpoint/ack_tracker.h"
#include "checkpoint/checkpoint_store.h"
#include "pipeline/batch_queue.h"
#include "pipeline/page_request.h"
#include "pipeline/read_pace.h"
#include "pipeline/run_report.h"
#include "pipeline/segment_failures.h"
#include "pipeline/task_group.h"
#include "sink/dead_letters.h"
#include "sink/sink.h"
#include "source/segment_scanner.h"

namespace everyitem::pipeline {

/// What bounds a run's memory, and with it what is repeated after it was killed.
struct PipelineLimits {
  /// Segments that are read at once; further ones wait for their turn.
  std::size_t segments_at_once = 1024;
  /// Pages being asked for, and read but not yet packed, of all segments: about 1 MB each.
  std::size_t pages_at_once = 64;
  /// Pages of one segment that were read and are not yet in the checkpoint: one is read while the
  /// one before it is delivered. These are what is repeated when a run is killed.
  std::size_t unsaved_pages_per_segment = 2;
  /// Of batches packed and being sent.
  std::size_t batch_bytes = 24U << 20;
};

/// What a run is made of. All of it outlives the pipeline.
struct PipelineParts {
  const source::ScanContext& scan;
  batch::BatchBuilder& builder;
  sink::Sink& sink;
  sink::DeadLetters* dead_letters;  ///< null where the destination takes every item
  checkpoint::CheckpointStore& store;
  ReadPace* pace = nullptr;  ///< null: nothing holds reading back
  /// Told to the user as it happens, one line each; may be empty.
  std::function<void(std::string_view)> notice = {};
};

/// One run in one process. Used from one event loop.
class Pipeline {
 public:
  /// `start`: where each segment stands, by number. `item_limit`: stop after so many items.
  Pipeline(const asio::any_io_executor& executor, PipelineParts parts,
           std::vector<checkpoint::SegmentProgress> start, PipelineLimits limits,
           std::optional<std::uint64_t> item_limit);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Reads and delivers until there is no more, or it is stopped. A segment that cannot be read any
  /// further does not stop the others; at the end it is thrown which ones are not complete. When
  /// anything else fails, or what fails concerns all segments, no more is read, what was read is
  /// delivered and checkpointed as far as that is possible, and the first failure is thrown.
  Awaitable<RunStatus> run();

  /// Asks for an orderly end: no more is read, what was read is delivered and checkpointed.
  void stop();

  const RunCounters& counters() const { return counters_; }

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
  Awaitable<source::ScanPage> read_page(source::SegmentScanner& scanner, PageRequest& request);
  Awaitable<void> pack_page(const source::ScanPage& page, std::uint32_t segment,
                            source::ScanPosition position_after);
  Awaitable<void> deliver_batches();
  Awaitable<void> bury(std::vector<sink::DeadLetter> letters);
  Awaitable<void> save_progress();

  void stop_reading();
  void notice(const std::string& text) const;
  void fail_segment(std::uint32_t segment, const Error& failure);
  void fail(const std::exception_ptr& failure);
  void fail_delivery(const std::exception_ptr& failure);
  RunStatus status() const;
  bool limit_reached() const;
  std::optional<source::ScanPosition> position_behind(const source::Item& item) const;
  std::optional<std::uint64_t> request_limit() const;
  std::uint64_t unsaved_pages(std::uint32_t segment) const;

  asio::any_io_executor executor_;
  PipelineParts parts_;
  PipelineLimits limits_;
  std::optional<std::uint64_t> item_limit_;
  std::vector<checkpoint::SegmentProgress> start_;

  checkpoint::AckTracker tracker_;
  BatchQueue queue_;
  std::vector<std::uint32_t> segments_to_read_;  ///< from the back
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<Reader*> reader_of_segment_;  ///< null for those that nobody reads now
  std::vector<std::uint64_t> pages_saved_;  ///< of each segment, how many are checkpointed
  PageRoom page_room_;
  Event progress_;  ///< a frontier moved, or deliveries ended

  bool stopping_ = false;  ///< nothing more is read
  bool deliveries_ended_ = false;
  bool destination_closed_ = false;
  std::uint64_t items_taken_ = 0;
  RunCounters counters_;
  std::exception_ptr failure_;
  SegmentFailures segment_failures_;
};

}  // namespace everyitem::pipeline
