// The event loops of a run, and what each has for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "pipeline/event_loops.h"

namespace everyitem::run {

/// One event loop. The first (index 0) is the run's own, on which it is set up.
struct RunLoop {
  std::size_t index = 0;
  asio::any_io_executor executor;
  Random random;
};

/// Grown while the run is set up, on the first loop.
class RunLoops {
 public:
  /// `home` is running already.
  RunLoops(asio::any_io_executor home, std::uint64_t random_seed)
      : threads_(std::move(home)), random_seed_(random_seed) {
    grow(1);
  }

  /// To `count` loops in all, each of the others on a thread of its own. Never shrinks.
  void grow(std::size_t count) {
    threads_.grow(count);
    while (loops_.size() < count) {
      const std::size_t index = loops_.size();
      loops_.push_back(std::make_unique<RunLoop>(
          RunLoop{index, threads_.executor(index), Random(random_seed_ + index)}));
    }
  }

  /// Ends the threads. Call it before what uses the loops is destroyed.
  void join() { threads_.join(); }

  std::size_t size() const { return loops_.size(); }
  RunLoop& home() { return *loops_.front(); }
  RunLoop& at(std::size_t index) { return *loops_.at(index); }

 private:
  pipeline::EventLoops threads_;
  std::uint64_t random_seed_;
  std::vector<std::unique_ptr<RunLoop>> loops_;
};

}  // namespace everyitem::run
