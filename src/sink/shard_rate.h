// How fast one shard is given records: near what it takes, and lower where it refuses some.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "sink/stream_description.h"

namespace everyitem::sink {

/// Counts in seconds of a shard's limit: what takes a thousandth of its records or of its bytes a
/// second, whichever is more, costs a thousandth. Multiplicative decrease, additive increase. One
/// event loop.
class ShardRate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Of its limits, what a provisioned shard is given at most. A shard that counts by whole seconds
  /// would refuse what a request's time on its way moves into the next one.
  static constexpr double kMost = 0.98;
  /// What is saved while nobody takes it, in seconds of the rate: it outlasts a round trip, and is
  /// small beside what a shard takes in a second.
  static constexpr double kSaved = 0.2;
  /// What may be refused without the rate being to blame: a few records whose second was full.
  static constexpr double kTolerated = 0.03;
  /// After more than that: of what was taken. Below it, so that what the shard still refuses for
  /// a moment does not lower the rate again.
  static constexpr double kDecrease = 0.97;
  /// Of the limits, each second; on demand, of the rate. Near where the shard refused some it is
  /// slow, and twice as fast each time that nothing much was refused: back from half after 30 s.
  static constexpr double kSlowestIncrease = 0.004;
  static constexpr double kFastestIncrease = 0.04;
  /// It goes no lower: somebody has to find out when there is room again.
  static constexpr double kLeast = 0.02;

  ShardRate(StreamMode mode, TimePoint now);

  /// Time has passed.
  void refill(TimePoint now);
  bool has_some() const { return records_ > 0 && bytes_ > 0; }
  /// May leave it owing: a record cannot be sent in parts.
  void take(std::size_t bytes);
  void give_back(std::size_t bytes);
  /// Somebody wanted more than there was.
  void hold_back() { held_back_ = true; }

  /// What became of a record that was taken at `taken`.
  void settle(std::size_t bytes, bool refused, TimePoint taken);
  /// Once those of a request are settled.
  void judge(TimePoint now);

  /// Of the shard's limits, a second.
  double rate() const { return rate_; }

 private:
  StreamMode mode_;
  double rate_;
  double increase_ = kSlowestIncrease;
  double records_;
  double bytes_;
  TimePoint refilled_;
  bool held_back_ = false;

  // Since the rate was judged last:
  TimePoint judged_;
  TimePoint lowered_;  ///< what was taken before says nothing of the rate that it has now
  double settled_cost_ = 0;
  double refused_cost_ = 0;
};

}  // namespace everyitem::sink
