// How fast records are sent to one shard: close to its limit, and slower if it refuses some.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "sink/stream_description.h"

namespace everyitem::sink {

/// Costs are in seconds of a shard's limit: a record costs the larger of its shares of the records
/// and of the bytes that a shard takes per second. Multiplicative decrease, additive increase. One
/// event loop.
class ShardRate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Maximum rate of a provisioned shard, as a share of its limits. A shard that counts by whole
  /// seconds would refuse records that the network delays into the next second.
  static constexpr double kMax = 0.98;
  /// Unused allowance that is saved, in seconds of the rate: longer than a round trip, and small
  /// compared with what a shard takes per second.
  static constexpr double kSaved = 0.2;
  /// Share of refusals that the rate is not to blame for: a few records whose second was full.
  static constexpr double kTolerated = 0.03;
  /// After more refusals, the new rate as a share of what was accepted. Below it, so that what the
  /// shard refuses for another moment does not lower the rate again.
  static constexpr double kDecrease = 0.97;
  /// Increase per second, as a share of the limits or, on demand, of the rate. Slow at first after
  /// refusals, then doubled each time that few were refused: back from half the rate after 30 s.
  static constexpr double kMinIncrease = 0.004;
  static constexpr double kMaxIncrease = 0.04;
  /// Minimum rate, to find out when the shard takes records again.
  static constexpr double kMin = 0.02;

  ShardRate(StreamMode mode, TimePoint now);

  /// Adds the allowance for the time that has passed.
  void refill(TimePoint now);
  bool has_allowance() const { return records_ > 0 && bytes_ > 0; }
  /// May leave a negative allowance, as a record cannot be split.
  void take(std::size_t bytes);
  void give_back(std::size_t bytes);
  /// A sender wanted more than the allowance.
  void hold_back() { held_back_ = true; }

  /// The outcome of a record that was taken at `taken_at`.
  void settle(std::size_t bytes, bool refused, TimePoint taken_at);
  /// Adapts the rate, once all records of a request are settled.
  void judge(TimePoint now);

  /// Share of the shard's limits.
  double rate() const { return rate_; }

 private:
  StreamMode mode_;
  double rate_;
  double increase_ = kMinIncrease;
  double records_;
  double bytes_;
  TimePoint refilled_;
  bool held_back_ = false;

  // Since the rate was last judged:
  TimePoint judged_;
  TimePoint lowered_;  ///< records taken before this say nothing about the current rate
  double settled_cost_ = 0;
  double refused_cost_ = 0;
};

}  // namespace everyitem::sink
