// How fast a lane's destination takes what it is given.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace everyitem::pipeline {

/// Measured in bytes of items, while at least one delivery is under way, so a destination that has
/// nothing to do does not look slow. What happened longer ago counts less. One event loop.
class DeliveryPace {
 public:
  /// `clock` outlives it.
  explicit DeliveryPace(Clock& clock) : clock_(clock), counted_to_(clock.now()) {}

  /// A delivery has begun.
  void begin();
  /// One has ended, of `bytes` of items.
  void end(std::uint64_t bytes);

  double bytes_per_second() const;
  /// What the destination takes in this time, at least one byte.
  std::uint64_t bytes_within(std::chrono::nanoseconds time) const;

 private:
  /// Weighted by how long ago they were.
  struct Sums {
    double bytes;
    double seconds;
  };

  Sums now() const;

  /// Until more is known: a quarter of a shard's limit. It counts as much as a second of
  /// deliveries, so that a burst that a stream has saved up is not mistaken for its pace.
  static constexpr Sums kAtFirst{.bytes = 256U << 10, .seconds = 1};

  Clock& clock_;
  std::size_t under_way_ = 0;
  std::chrono::steady_clock::time_point counted_to_;
  Sums sums_ = kAtFirst;  ///< at counted_to_
};

}  // namespace everyitem::pipeline
