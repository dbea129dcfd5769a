// A clock for tests: sleeping on it does not wait, but records for how long it would have.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "base/clock.h"

namespace everyitem {

/// Time moves only through sleeps, `advance` and jumps. One event loop.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::chrono::system_clock::time_point wall) : wall_(wall) {}

  std::chrono::system_clock::time_point wall_now() const override { return wall_; }
  std::chrono::steady_clock::time_point now() const override {
    ++reads_;
    return steady_;
  }

  /// Moves both clocks by `duration` immediately, and then lets other coroutines run.
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override {
    sleeps_.push_back(duration);
    advance(duration);
    if (on_sleep) {
      on_sleep();
    }
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }

  std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor,
                                    std::function<void()> ring) override {
    return std::make_unique<FakeTimer>(*this, executor, std::move(ring));
  }

  /// Moves both clocks; timers whose time this brings ring in the event loop's next turn.
  void advance(std::chrono::nanoseconds duration) {
    steady_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(duration);
    jump_wall(duration);
    for (FakeTimer* const timer : timers_) {
      timer->ring_if_due();
    }
  }

  /// Moves only the wall clock, forward or back, as an administrator might.
  void jump_wall(std::chrono::nanoseconds by) {
    wall_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
  }

  /// All sleeps so far, in the order they began.
  const std::vector<std::chrono::nanoseconds>& sleeps() const { return sleeps_; }

  /// How often `now` was called. What keeps a deadline asks for the time whenever it gets on.
  std::uint64_t reads() const { return reads_; }
  /// How many timers are set.
  std::size_t timers_set() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(timers_, [](const FakeTimer* timer) { return timer->is_set(); }));
  }

  /// Called during each sleep.
  std::function<void()> on_sleep;

 private:
  class FakeTimer final : public Timer {
   public:
    FakeTimer(FakeClock& clock, asio::any_io_executor executor, std::function<void()> ring)
        : clock_(clock), executor_(std::move(executor)), ring_(std::move(ring)) {
      clock_.timers_.push_back(this);
    }
    FakeTimer(const FakeTimer&) = delete;
    FakeTimer& operator=(const FakeTimer&) = delete;
    ~FakeTimer() override { std::erase(clock_.timers_, this); }

    void set(std::chrono::steady_clock::time_point when) override {
      when_ = std::make_shared<const std::chrono::steady_clock::time_point>(when);
      ring_if_due();
    }
    void cancel() override { when_.reset(); }

    bool is_set() const { return when_ != nullptr; }
    void ring_if_due() {
      if (when_ && *when_ <= clock_.steady_) {
        // Setting it again, cancelling and destroying it all drop `when_`.
        asio::post(executor_, [this, due = std::weak_ptr(when_)] {
          if (!due.expired()) {
            when_.reset();
            ring_();
          }
        });
      }
    }

   private:
    FakeClock& clock_;
    asio::any_io_executor executor_;
    std::function<void()> ring_;
    std::shared_ptr<const std::chrono::steady_clock::time_point> when_;  ///< null: not set
  };

  std::chrono::system_clock::time_point wall_;
  std::chrono::steady_clock::time_point steady_{std::chrono::hours(1)};
  std::vector<std::chrono::nanoseconds> sleeps_;
  std::vector<FakeTimer*> timers_;
  mutable std::uint64_t reads_ = 0;
};

}  // namespace everyitem
