// Writes the progress of all lanes to the store of a run.
#pragma once

#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/on_loop.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::pipeline {

/// From any event loop: the work is done on that of `home`, where the store is used. Progress
/// that several lanes save while the store is busy is written together when it is free.
class CheckpointWriter {
 public:
  /// The store must outlive the writer.
  CheckpointWriter(asio::any_io_executor home, checkpoint::CheckpointStore& store)
      : home_(std::move(home)), store_(store), written_(home_) {}

  /// Returns when it is in the store. Throws what the store threw, and then always, because the
  /// store may lack what was written together with it.
  Awaitable<void> save(std::vector<checkpoint::SegmentProgress> moved) {
    return on_loop(home_, save_here(std::move(moved)));
  }

 private:
  Awaitable<void> save_here(std::vector<checkpoint::SegmentProgress> moved);
  Awaitable<void> write();

  asio::any_io_executor home_;
  checkpoint::CheckpointStore& store_;
  std::vector<checkpoint::SegmentProgress> collected_;  ///< for the next write
  std::uint64_t write_begun_ = 0;                       ///< the number of writes started
  std::uint64_t write_ended_ = 0;
  std::exception_ptr failure_;
  Event written_;
};

}  // namespace everyitem::pipeline
