// Saves the progress of all lanes of a run.
#pragma once

#include <cstdint>
#include <exception>
#include <set>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/on_loop.h"
#include "checkpoint/ack_tracker.h"
#include "pipeline/run_parts.h"

namespace everyitem::pipeline {

/// From any event loop: the work is done on that of `home`, where the parts are. Progress
/// that several lanes save while another write is under way is written together when that has
/// ended.
class CheckpointWriter {
 public:
  /// The parts must outlive the writer.
  CheckpointWriter(asio::any_io_executor home, RunParts& parts)
      : home_(std::move(home)), parts_(parts), written_(home_) {}

  /// Returns when it is in the store, except for the parts that are returned, which are lost.
  /// Throws what the store threw, and then always, because the store may lack what was written
  /// together with it.
  Awaitable<std::vector<std::uint32_t>> save(std::vector<checkpoint::SegmentProgress> moved) {
    return on_loop(home_, save_here(std::move(moved)));
  }

 private:
  Awaitable<std::vector<std::uint32_t>> save_here(std::vector<checkpoint::SegmentProgress> moved);
  Awaitable<void> write();

  asio::any_io_executor home_;
  RunParts& parts_;
  std::vector<checkpoint::SegmentProgress> collected_;  ///< for the next write
  std::set<std::uint32_t> lost_;                        ///< and not yet told
  std::uint64_t write_begun_ = 0;                       ///< the number of writes started
  std::uint64_t write_ended_ = 0;
  std::exception_ptr failure_;
  Event written_;
};

}  // namespace everyitem::pipeline
