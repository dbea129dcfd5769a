// How workers that share a run divide its read rate among them.
#pragma once

#include <chrono>
#include <optional>
#include <span>

namespace everyitem::run {

/// What a worker says of itself. Read units a second.
struct RateClaim {
  double units = 0;              ///< it reads no faster than this
  std::optional<double> wanted;  ///< it has no use for more; nothing: for as much as it can get
};

/// What one worker claims next, who wants `wanted`: its fair share of `rate`, as far as the
/// others have left it free. All get the same, but for those that want less; what these leave goes
/// to the others, and what nobody wants is divided evenly. Never more than the rate less what the
/// others claim: if each claims in turn, and knows the claims before, they are never above it
/// together.
double next_claim(double rate, std::optional<double> wanted, std::span<const RateClaim> others);

/// Learns what a worker has use for, from what it uses of its claims. One event loop.
class RateUse {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Who uses less of its claim than this has no use for more.
  static constexpr double kUsed = 0.7;

  /// `units_read`: so far, and `claim`: a second, since it was last asked. The answer is as in
  /// RateClaim: something more than is used where that is less than what was claimed.
  std::optional<double> wanted(double units_read, double claim, TimePoint now);

 private:
  std::optional<TimePoint> since_;
  double read_before_ = 0;
  double used_ = 0;     ///< a second, smoothed
  double claimed_ = 0;  ///< likewise
};

}  // namespace everyitem::run
