// What bounds a run's memory.
#pragma once

#include <cstddef>

namespace everyitem::pipeline {

/// And with it what is repeated after a run was killed.
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

}  // namespace everyitem::pipeline
