// A clock for simulations: time advances when nobody has anything left to do at the current
// instant.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"

namespace everyitem {

/// Unlike with FakeClock, any number of coroutines can sleep at once; they wake in the order of
/// their times. The same program with the same seeds always behaves the same. One event loop, run
/// by `run`; or several of one thread, run by whoever calls `advance` when none has anything to do.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(asio::io_context& loop) : loop_(loop) {}

  std::chrono::system_clock::time_point wall_now() const override {
    return kBegin + std::chrono::duration_cast<std::chrono::system_clock::duration>(
                        steady_.time_since_epoch());
  }
  std::chrono::steady_clock::time_point now() const override { return steady_; }

  Awaitable<void> sleep(std::chrono::nanoseconds duration) override {
    asio::steady_timer woken(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    bool due = false;
    const Waiting waiting(*this, steady_ + duration, [&] {
      due = true;
      woken.cancel();
    });
    co_await woken.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!due) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }

  std::unique_ptr<Timer> make_timer(const asio::any_io_executor& /*executor*/,
                                    std::function<void()> ring) override {
    return std::make_unique<SimulatedTimer>(*this, std::move(ring));
  }

  /// Lets time pass until the next who waits is due, and wakes it. False if nobody waits.
  bool advance() {
    if (waiting_.empty()) {
      return false;
    }
    const auto first = waiting_.extract(waiting_.begin());
    steady_ = std::max(steady_, first.key().first);
    first.mapped()();
    return true;
  }

  /// Runs the loop until nobody sleeps or has anything to do, and no timer is set.
  void run() {
    do {
      loop_.restart();
      loop_.poll();
    } while (advance());
  }

 private:
  static constexpr auto kBegin = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23};

  /// Sorted by time, and then by the order in which they began to wait.
  using Key = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;

  /// Calls `due` at a time, unless it is destroyed before.
  class Waiting {
   public:
    Waiting(SimulatedClock& clock, std::chrono::steady_clock::time_point when,
            std::function<void()> due)
        : clock_(clock), key_(when, clock.next_++) {
      clock_.waiting_.emplace(key_, std::move(due));
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() { clock_.waiting_.erase(key_); }

   private:
    SimulatedClock& clock_;
    Key key_;
  };

  class SimulatedTimer final : public Timer {
   public:
    SimulatedTimer(SimulatedClock& clock, std::function<void()> ring)
        : clock_(clock), ring_(std::move(ring)) {}

    void set(std::chrono::steady_clock::time_point when) override {
      waiting_.emplace(clock_, when, [this] { ring_(); });
    }
    void cancel() override { waiting_.reset(); }

   private:
    SimulatedClock& clock_;
    std::function<void()> ring_;
    std::optional<Waiting> waiting_;
  };

  asio::io_context& loop_;
  std::chrono::steady_clock::time_point steady_{std::chrono::hours(1)};
  std::map<Key, std::function<void()>> waiting_;
  std::uint64_t next_ = 0;
};

}  // namespace everyitem
