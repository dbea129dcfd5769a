// How fast to read a table that throttles, if no read rate is set.
#pragma once

#include <chrono>
#include <optional>

namespace everyitem::pace {

/// Follows throttling down and up: multiplicative decrease, additive increase. There is no rate
/// until the table has throttled. One event loop.
class ThrottledRate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Fraction of what was read in the last second, after throttling.
  static constexpr double kDecrease = 0.75;
  /// Increase per second, as a fraction of the maximum ever read in a second: fully recovered after
  /// 12.5 s if the table serves as much as before.
  static constexpr double kIncrease = 0.02;
  /// The lower bound, as a fraction of that maximum. Otherwise a table that throttles everything
  /// for a while would be read slowly long afterwards; each request has its own backoff in
  /// addition.
  static constexpr double kMin = 0.1;
  /// A rate is judged only by requests sent after it has been in effect for this long.
  static constexpr std::chrono::seconds kSettling{1};

  /// A page of `units` was read.
  void served(double units, TimePoint now);
  /// A request sent at `sent` was throttled. Ignored until a second of reading has been measured.
  void refused(TimePoint sent, TimePoint now);

  /// Read units per second, above 0; nothing while the table has not throttled.
  std::optional<double> at(TimePoint now) const;

 private:
  void measure(TimePoint now);

  std::optional<TimePoint> second_began_;
  double in_this_second_ = 0;
  double measured_ = 0;  ///< units per second, over the last second or a little more
  double max_measured_ = 0;
  std::optional<TimePoint> decreased_at_;
  double rate_ = 0;      ///< rate at that time
  double increase_ = 0;  ///< increase per second since then
};

}  // namespace everyitem::pace
