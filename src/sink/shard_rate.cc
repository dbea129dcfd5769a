#include "sink/shard_rate.h"

#include <algorithm>

#include "batch/kinesis_limits.h"

namespace everyitem::sink {

namespace {

constexpr double kRecordCost = 1 / batch::kShardRecordsPerSecond;

double byte_cost(std::size_t bytes) {
  return static_cast<double>(bytes) / batch::kShardBytesPerSecond;
}

double cost(std::size_t bytes) { return std::max(kRecordCost, byte_cost(bytes)); }

/// A rate is judged by what so long brought: what single seconds refuse by chance is little in it.
constexpr std::chrono::seconds kJudged{5};
/// Or sooner, once so many seconds of the limit were refused: that is no chance.
constexpr std::chrono::seconds kJudgedSoonest{1};
constexpr double kRefusedForSure = 0.3;

}  // namespace

ShardRate::ShardRate(StreamMode mode, TimePoint now)
    : mode_(mode),
      rate_(mode == StreamMode::on_demand ? 1 : kMost),
      records_(kSaved * rate_),
      bytes_(records_),
      refilled_(now),
      judged_(now),
      lowered_(now) {}

void ShardRate::refill(TimePoint now) {
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  refilled_ = now;
  if (mode_ == StreamMode::on_demand) {
    // Only where more would be sent is it known whether more would be taken.
    rate_ += held_back_ ? rate_ * increase_ * std::min(seconds, 1.0) : 0;
  } else {
    rate_ = std::min(kMost, rate_ + increase_ * seconds);
  }
  held_back_ = false;
  records_ = std::min(records_ + rate_ * seconds, rate_ * kSaved);
  bytes_ = std::min(bytes_ + rate_ * seconds, rate_ * kSaved);
}

void ShardRate::take(std::size_t bytes) {
  records_ -= kRecordCost;
  bytes_ -= byte_cost(bytes);
}

void ShardRate::give_back(std::size_t bytes) {
  records_ += kRecordCost;
  bytes_ += byte_cost(bytes);
}

void ShardRate::settle(std::size_t bytes, bool refused, TimePoint taken) {
  if (taken < lowered_) {
    return;
  }
  settled_cost_ += cost(bytes);
  refused_cost_ += refused ? cost(bytes) : 0;
}

void ShardRate::judge(TimePoint now) {
  const auto enough = refused_cost_ < kRefusedForSure ? kJudged : kJudgedSoonest;
  if (settled_cost_ <= 0 || now - judged_ < enough) {
    return;
  }
  const double refused = refused_cost_ / settled_cost_;
  if (refused > kTolerated) {
    rate_ = std::max(kLeast, rate_ * (1 - refused) * kDecrease);
    increase_ = kSlowestIncrease;
    lowered_ = now;
  } else {
    increase_ = std::min(kFastestIncrease, 2 * increase_);
  }
  judged_ = now;
  settled_cost_ = refused_cost_ = 0;
}

}  // namespace everyitem::sink
