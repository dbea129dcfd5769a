// How fast to read a table that refuses what is too fast, when nobody set a rate.
#pragma once

#include <chrono>
#include <optional>

namespace everyitem::pace {

/// Follows throttling down and up: multiplicative decrease, additive increase. Sets no rate until
/// the table has refused something. One event loop.
class ThrottledRate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Of what was read in the last second, after a refusal.
  static constexpr double kDecrease = 0.75;
  /// Of the most that was ever read in a second, each second: back after 12.5 s, if the table
  /// serves as much as before.
  static constexpr double kIncrease = 0.02;
  /// Of that most, too: it goes no lower. A table that refuses everything for a while would else be
  /// read slowly long after; each request has its own backoff besides.
  static constexpr double kLeast = 0.1;
  /// A rate is judged by requests that were sent once it was in effect for so long.
  static constexpr std::chrono::seconds kSettling{1};

  /// A page of `units` was read.
  void served(double units, TimePoint now);
  /// A request that was sent at `sent` was refused as too fast. Before a second of reading was
  /// measured, this says nothing.
  void refused(TimePoint sent, TimePoint now);

  /// Read units a second, above 0; nothing while the table has not refused anything.
  std::optional<double> at(TimePoint now) const;

 private:
  void measure(TimePoint now);

  std::optional<TimePoint> second_began_;
  double in_this_second_ = 0;
  double measured_ = 0;  ///< units a second, of the last whole second or a little more
  double most_measured_ = 0;
  std::optional<TimePoint> decreased_at_;
  double rate_ = 0;      ///< at that time
  double increase_ = 0;  ///< since then, a second
};

}  // namespace everyitem::pace
