// One run in one process: its lanes, and what they share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "checkpoint/checkpoint_store.h"
#include "pace/read_gate.h"
#include "pipeline/checkpoint_writer.h"
#include "pipeline/lane.h"
#include "pipeline/pipeline_limits.h"
#include "pipeline/run_control.h"
#include "pipeline/run_report.h"
#include "sink/dead_letters.h"

namespace everyitem::pipeline {

/// What a run is made of. All of it outlives the pipeline.
struct PipelineParts {
  std::vector<LaneParts> lanes;     ///< one or more, each of which gets a share of the segments
  sink::DeadLetters* dead_letters;  ///< null where the destination takes every item
  checkpoint::CheckpointStore& store;
  pace::ReadGate* read_gate = nullptr;  ///< null: nothing holds reading back
  /// Told to the user as it happens, one line each; may be empty.
  Notice notice = {};
  /// Goes on beside the run, and is cancelled when that ends; may be empty. The run fails with it.
  std::function<Awaitable<void>()> beside = {};
};

/// Used from the event loop of `home`, on which the store and the pace are used, too.
class Pipeline {
 public:
  /// `start`: where each segment stands, by number. `limits`: of all lanes together. `item_limit`:
  /// stop after so many items, which is for one lane alone.
  Pipeline(asio::any_io_executor home, PipelineParts parts,
           const std::vector<checkpoint::SegmentProgress>& start, PipelineLimits limits,
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

  RunCounters counters() const;

 private:
  asio::any_io_executor home_;
  std::size_t segments_;
  std::uint32_t complete_at_first_ = 0;  ///< of the segments
  checkpoint::CheckpointStore& store_;
  std::function<Awaitable<void>()> beside_;
  CheckpointWriter checkpoint_;
  std::unique_ptr<RunControl> control_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace everyitem::pipeline
