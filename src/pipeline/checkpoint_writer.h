// Puts the progress of all lanes into the one store of a run.
#pragma once

#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/on_loop.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::pipeline {

/// From any event loop: the work is done on that of `home`, where the store is used. What several
/// lanes want saved while the store is busy is written at once when it is free.
class CheckpointWriter {
 public:
  /// The store outlives the writer.
  CheckpointWriter(asio::any_io_executor home, checkpoint::CheckpointStore& store)
      : home_(std::move(home)), store_(store), written_(home_) {}

  /// Returns when it is in the store. Throws what the store threw; from then on always, as the
  /// store may lack what came with it.
  Awaitable<void> save(std::vector<checkpoint::SegmentProgress> moved) {
    return on_loop(home_, save_here(std::move(moved)));
  }

 private:
  Awaitable<void> save_here(std::vector<checkpoint::SegmentProgress> moved);
  Awaitable<void> write();

  asio::any_io_executor home_;
  checkpoint::CheckpointStore& store_;
  std::vector<checkpoint::SegmentProgress> collected_;  ///< for the next write
  std::uint64_t write_begun_ = 0;                       ///< how many there were
  std::uint64_t write_ended_ = 0;
  std::exception_ptr failure_;
  Event written_;
};

}  // namespace everyitem::pipeline
