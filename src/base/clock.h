// Time and randomness, injected so that tests do not really wait and random runs can be repeated.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>

#include "base/async.h"

namespace everyitem {

/// Calls a function once, at a set time. Used from one event loop. Destroying it cancels it.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() = default;

  /// Calls the function at `when` or soon after, instead of at the time set before. A set timer is
  /// work for the event loop.
  virtual void set(std::chrono::steady_clock::time_point when) = 0;
  /// From now on the function is not called, even if its time has come already.
  virtual void cancel() = 0;
};

/// Can be used from any thread.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// The wall clock, for signatures and expirations. It may jump.
  virtual std::chrono::system_clock::time_point wall_now() const = 0;
  /// The monotonic clock, for durations.
  virtual std::chrono::steady_clock::time_point now() const = 0;
  /// Throws boost::system::system_error(operation_aborted) if the coroutine is cancelled.
  virtual Awaitable<void> sleep(std::chrono::nanoseconds duration) = 0;
  /// A timer that calls `ring` on the executor's event loop. The clock must outlive it.
  virtual std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor,
                                            std::function<void()> ring) = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  std::chrono::system_clock::time_point wall_now() const override;
  std::chrono::steady_clock::time_point now() const override;
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override;
  std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor,
                                    std::function<void()> ring) override;
};

/// Uniform random numbers for jitter and random partition keys, not for secrets. One event loop.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// In [0, 1).
  double uniform() { return std::uniform_real_distribution<double>(0.0, 1.0)(engine_); }
  std::uint64_t bits() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace everyitem
