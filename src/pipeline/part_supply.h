// Where the lanes of a run get the parts from that they read.
#pragma once

#include <cstdint>
#include <optional>

#include "base/async.h"
#include "checkpoint/ack_tracker.h"

namespace everyitem::pipeline {

/// Why a lane does not read a part to its end.
enum class PartEnd {
  returned,  ///< it was asked to let another process read it
  lost,      ///< another process reads it by now
  failed,    ///< it cannot be read
};

/// Used on the run's own event loop. Calls may overlap.
class PartSupply {
 public:
  PartSupply() = default;
  PartSupply(const PartSupply&) = delete;
  PartSupply& operator=(const PartSupply&) = delete;
  virtual ~PartSupply() = default;

  /// A part that nobody else reads, and where it stands; waits until there is one. Nothing once
  /// there is nothing left to read. May be cancelled.
  virtual Awaitable<std::optional<checkpoint::SegmentProgress>> next() = 0;
  /// A part that `next` returned is not read to its end. All of it that was read is saved, or is
  /// not going to be.
  virtual Awaitable<void> ended(std::uint32_t part, PartEnd why) = 0;
};

}  // namespace everyitem::pipeline
