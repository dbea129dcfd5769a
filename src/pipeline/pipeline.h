// A run in this process: its lanes, and what they share.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "pace/read_gate.h"
#include "pipeline/checkpoint_writer.h"
#include "pipeline/lane.h"
#include "pipeline/pipeline_limits.h"
#include "pipeline/run_control.h"
#include "pipeline/run_parts.h"
#include "pipeline/run_report.h"
#include "sink/dead_letters.h"

namespace everyitem::pipeline {

/// The parts of a run. All of them outlive the pipeline.
struct PipelineParts {
  std::vector<LaneParts> lanes;     ///< one or more; each gets a share of the segments
  sink::DeadLetters* dead_letters;  ///< null if the destination takes every item
  RunParts& parts;
  Clock& clock;
  pace::ReadGate* read_gate = nullptr;  ///< null if reading is not limited
  /// Prints a line for the user as things happen; may be empty.
  Notice notice = {};
  /// Runs in the background and is cancelled when the run ends; may be empty. If it fails, the run
  /// fails.
  std::function<Awaitable<void>()> background_task = {};
  StopLimits stop_limits = {};
};

/// What the run consists of when the pipeline begins.
struct PipelineStart {
  std::uint32_t segments = 0;
  std::uint32_t complete = 0;  ///< segments
};
PipelineStart start_of(const std::vector<checkpoint::SegmentProgress>& segments);

/// Used from the event loop `home`, on which the parts and the read gate are used too.
class Pipeline {
 public:
  /// `limits` are for all lanes together. `item_limit` stops after this many items, and requires a
  /// single lane.
  Pipeline(asio::any_io_executor home, PipelineParts parts, PipelineStart start,
           PipelineLimits limits, std::optional<std::uint64_t> item_limit);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Reads and delivers until there is nothing left, or it is stopped. A failed segment does not
  /// stop the others; at the end an error says which ones are not complete. If anything else fails,
  /// or the failure concerns all segments, reading stops, what was read is delivered and
  /// checkpointed as far as possible, and the first failure is thrown.
  Awaitable<RunStatus> run();

  /// Requests an orderly end: reading stops, and what was packed is delivered and checkpointed, as
  /// far as StopLimits allow.
  void stop();

  /// Lets another process read the segment, once what was read of it is in the checkpoint.
  void return_part(std::uint32_t segment);

  RunCounters counters() const;
  /// After the run has ended: what was not acknowledged in time.
  Backlog backlog() const;

 private:
  void stop_lanes();
  void on_stop_timer();

  asio::any_io_executor home_;
  PipelineStart start_;
  RunParts& run_parts_;
  std::function<Awaitable<void>()> background_task_;
  CheckpointWriter checkpoint_;
  std::unique_ptr<RunControl> control_;
  std::vector<std::unique_ptr<Lane>> lanes_;

  Clock& clock_;
  StopLimits stop_limits_;
  std::unique_ptr<Timer> stop_timer_;
  asio::cancellation_signal stop_flush_;
  bool stop_requested_ = false;
  bool deliveries_given_up_ = false;
  bool saving_given_up_ = false;
  bool ended_ = false;
};

}  // namespace everyitem::pipeline
