// The limits on a run's memory.
#pragma once

#include <cstddef>

namespace everyitem::pipeline {

/// They also limit what is repeated after a kill.
struct PipelineLimits {
  /// Segments read at the same time; others wait for their turn.
  std::size_t segments_at_once = 1024;
  /// Pages of all segments that are being requested, or read but not yet packed: about 1 MB each.
  std::size_t pages_at_once = 64;
  /// Pages of one segment that have been read but are not yet in the checkpoint: one is read while
  /// the one before it is delivered. These are repeated after a kill.
  std::size_t unsaved_pages_per_segment = 2;
  /// Bytes of batches that are packed or being sent.
  std::size_t batch_bytes = 24U << 20;
};

}  // namespace everyitem::pipeline
