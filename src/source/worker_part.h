// Which segments of a table one of several workers reads.
#pragma once

#include <cstdint>

namespace everyitem::source {

/// Worker number `worker` (from 0) of the `workers` that share a run. It reads every workers-th
/// segment, so that all have the same number, give or take one. By default one worker has all.
struct WorkerPart {
  std::uint32_t worker = 0;
  std::uint32_t workers = 1;

  bool alone() const { return workers == 1; }
  bool has(std::uint32_t segment) const { return segment % workers == worker; }
  /// How many of `segments` segments it reads.
  std::uint32_t count_of(std::uint32_t segments) const {
    return segments / workers + (worker < segments % workers ? 1 : 0);
  }

  friend bool operator==(const WorkerPart&, const WorkerPart&) = default;
};

}  // namespace everyitem::source
