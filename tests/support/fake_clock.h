// A clock for tests: sleeping on it does not wait, but records for how long it would have.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include <boost/asio/post.hpp>

#include "base/clock.h"

namespace everyitem {

/// Time moves only through sleeps and jumps. One event loop.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::chrono::system_clock::time_point wall) : wall_(wall) {}

  std::chrono::system_clock::time_point wall_now() const override { return wall_; }
  std::chrono::steady_clock::time_point now() const override { return steady_; }

  /// Moves both clocks by `duration` immediately, and then lets other coroutines run.
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override {
    sleeps_.push_back(duration);
    steady_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(duration);
    jump_wall(duration);
    if (on_sleep) {
      on_sleep();
    }
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }

  /// Moves only the wall clock, forward or back, as an administrator might.
  void jump_wall(std::chrono::nanoseconds by) {
    wall_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
  }

  /// All sleeps so far, in the order they began.
  const std::vector<std::chrono::nanoseconds>& sleeps() const { return sleeps_; }

  /// Called during each sleep.
  std::function<void()> on_sleep;

 private:
  std::chrono::system_clock::time_point wall_;
  std::chrono::steady_clock::time_point steady_{std::chrono::hours(1)};
  std::vector<std::chrono::nanoseconds> sleeps_;
};

}  // namespace everyitem
