// A clock for simulations: time advances when nobody has anything left to do at the current
// instant.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"

namespace everyitem {

/// Unlike with FakeClock, any number of coroutines can sleep at once; they wake in the order of
/// their times. The same program with the same seeds always behaves the same. One event loop, run
/// by `run`.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(asio::io_context& loop) : loop_(loop) {}

  std::chrono::system_clock::time_point wall_now() const override {
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            steady_.time_since_epoch()));
  }
  std::chrono::steady_clock::time_point now() const override { return steady_; }

  Awaitable<void> sleep(std::chrono::nanoseconds duration) override {
    Sleeper sleeper(loop_);
    const Key due{steady_ + duration, next_++};
    sleepers_.emplace(due, &sleeper);
    const Waking waking{sleepers_, due};
    co_await sleeper.woken.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!sleeper.due) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }

  /// Runs the loop until nobody sleeps or has anything to do.
  void run() {
    for (;;) {
      loop_.restart();
      loop_.poll();
      if (sleepers_.empty()) {
        return;
      }
      const auto first = sleepers_.begin();
      steady_ = first->first.first;
      first->second->due = true;
      first->second->woken.cancel();
    }
  }

 private:
  struct Sleeper {
    explicit Sleeper(asio::io_context& loop) : woken(loop, asio::steady_timer::time_point::max()) {}
    asio::steady_timer woken;
    bool due = false;
  };
  /// Sorted by time, and then by the order in which they went to sleep.
  using Key = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;
  using Sleepers = std::map<Key, Sleeper*>;
  struct Waking {
    Sleepers& sleepers;
    Key due;
    ~Waking() { sleepers.erase(due); }
  };

  asio::io_context& loop_;
  std::chrono::steady_clock::time_point steady_{std::chrono::hours(1)};
  Sleepers sleepers_;
  std::uint64_t next_ = 0;
};

}  // namespace everyitem
