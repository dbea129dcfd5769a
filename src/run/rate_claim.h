// How processes that share a run divide its read rate among them.
#pragma once

#include <chrono>
#include <optional>
#include <span>

namespace everyitem::run {

/// What a sharer tells, in read units per second.
struct RateClaim {
  double units = 0;              ///< it reads no faster than this
  std::optional<double> wanted;  ///< it has no use for more; nothing if it can use any amount
};

/// The next claim of a sharer that wants `wanted`: its fair share of `rate`, as far as the others
/// have left it free. All get the same, except for those that want less; what these leave goes to
/// the others, and what nobody wants is divided evenly. Never more than the rate minus the others'
/// claims: if each claims in turn and knows the previous claims, the sum never exceeds the rate.
double next_claim(double rate, std::optional<double> wanted, std::span<const RateClaim> others);

/// Learns how much a sharer can use from how much of its claims it uses. One event loop.
class RateUse {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A sharer that uses less than this fraction of its claim has no use for more.
  static constexpr double kUsed = 0.7;

  /// `units_read` is the total so far, and `claim` the claim per second since the last call.
  /// Returns RateClaim::wanted: somewhat more than is used, if that is less than the claim.
  std::optional<double> wanted(double units_read, double claim, TimePoint now);

 private:
  std::optional<TimePoint> since_;
  double read_before_ = 0;
  double used_ = 0;     ///< per second, smoothed
  double claimed_ = 0;  ///< the same
};

}  // namespace everyitem::run
