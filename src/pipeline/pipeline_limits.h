// The limits on a run's memory, on what it reads ahead, and on how long it takes to stop.
#pragma once

#include <chrono>
#include <cstddef>

namespace everyitem::pipeline {

/// They also limit what is repeated after a kill.
struct PipelineLimits {
  /// Segments read at the same time; others wait for their turn.
  std::size_t segments_at_once = 1024;
  /// Pages of all segments that are being requested, or read but not yet packed.
  std::size_t pages_at_once = 64;
  /// The memory that they take, for all but one page of each lane.
  std::size_t page_bytes = 64U << 20;
  /// Pages of one segment that have been read but are not yet in the checkpoint: one is read while
  /// the one before it is delivered. These are repeated after a kill.
  std::size_t unsaved_pages_per_segment = 2;
  /// Bytes of batches that are packed or being sent.
  std::size_t batch_bytes = 24U << 20;
  /// How much is read ahead of a slow destination: what it takes in this time. Three fifths of
  /// it may be packed, which is what is delivered before a run stops.
  std::chrono::nanoseconds ahead = std::chrono::seconds(5);
};

/// How long a pipeline takes to stop, at most, once it is asked to, whatever the services do. With
/// what follows (ScanRun's release) it is less than the 10 s that Docker waits before it kills.
struct StopLimits {
  /// Then what is not acknowledged is left to the next process.
  std::chrono::nanoseconds delivering = std::chrono::milliseconds(5500);
  /// Then so is what is not in the checkpoint.
  std::chrono::nanoseconds saving = std::chrono::milliseconds(1500);
};

}  // namespace everyitem::pipeline
