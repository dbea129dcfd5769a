// Time and randomness, injected so that tests do not really wait and random runs can be repeated.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

#include "base/async.h"

namespace everyitem {

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
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  std::chrono::system_clock::time_point wall_now() const override;
  std::chrono::steady_clock::time_point now() const override;
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override;
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
