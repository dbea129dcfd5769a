#include "pipeline/delivery_pace.h"

#include <algorithm>
#include <cmath>

namespace everyitem::pipeline {

namespace {

/// After this many seconds of deliveries, what was measured before counts for a third.
constexpr double kMemorySeconds = 5;

}  // namespace

DeliveryPace::Sums DeliveryPace::now() const {
  if (under_way_ == 0) {
    return sums_;
  }
  const std::chrono::duration<double> passed = clock_.now() - counted_to_;
  const double kept = std::exp(-passed.count() / kMemorySeconds);
  return {.bytes = sums_.bytes * kept,
          .seconds = sums_.seconds * kept + kMemorySeconds * (1 - kept)};
}

void DeliveryPace::begin() {
  sums_ = now();
  counted_to_ = clock_.now();
  ++under_way_;
}

void DeliveryPace::end(std::uint64_t bytes) {
  sums_ = now();
  counted_to_ = clock_.now();
  sums_.bytes += static_cast<double>(bytes);
  --under_way_;
}

double DeliveryPace::bytes_per_second() const {
  const Sums sums = now();
  return sums.bytes / sums.seconds;
}

std::uint64_t DeliveryPace::bytes_within(std::chrono::nanoseconds time) const {
  const double bytes = bytes_per_second() * std::chrono::duration<double>(time).count();
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::min(bytes, 1e18)));
}

}  // namespace everyitem::pipeline
