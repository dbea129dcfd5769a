// The parts of a run, as the pipeline gets them to read and tells how far they are.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/async.h"
#include "checkpoint/ack_tracker.h"

namespace everyitem::pipeline {

/// Why a lane does not read a part to its end.
enum class PartEnd {
  returned,  ///< it was asked to let another process read it
  lost,      ///< another process reads it by now
  failed,    ///< it cannot be read
};

/// Used on the run's own event loop. Calls may overlap. They throw Error.
class RunParts {
 public:
  RunParts() = default;
  RunParts(const RunParts&) = delete;
  RunParts& operator=(const RunParts&) = delete;
  virtual ~RunParts() = default;

  /// A part that nobody reads, and where it stands; waits until there is one. Nothing once there
  /// is nothing left to read. May be cancelled.
  virtual Awaitable<std::optional<checkpoint::SegmentProgress>> next() = 0;
  /// A part that `next` returned is not read to its end. What was read of it is saved, unless it is
  /// lost; nothing of it is under way. Not for parts that were saved as complete, lost or not.
  virtual Awaitable<void> ended(std::uint32_t part, PartEnd why) = 0;
  /// As CheckpointStore. Returns the parts that are lost: another process reads them.
  virtual Awaitable<std::vector<std::uint32_t>> save(
      std::vector<checkpoint::SegmentProgress> moved) = 0;
  /// As CheckpointStore.
  virtual Awaitable<void> maintain() { co_return; }
  virtual Awaitable<void> flush() { co_return; }
  /// Whether all parts of the run are complete, as far as is known.
  virtual bool complete() const = 0;
};

}  // namespace everyitem::pipeline
