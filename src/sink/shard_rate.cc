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

/// A rate is judged by the results of this time, in which chance refusals of single seconds count
/// little.
constexpr std::chrono::seconds kJudged{5};
/// Or sooner, once this much of a second's limit was refused, which is not chance.
constexpr std::chrono::seconds kMinJudged{1};
constexpr double kRefusedForSure = 0.3;

}  // namespace

ShardRate::ShardRate(StreamMode mode, TimePoint now)
    : mode_(mode),
      rate_(mode == StreamMode::on_demand ? 1 : kMax),
      records_(kSaved * rate_),
      bytes_(records_),
      refilled_(now),
      judged_(now),
      lowered_(now) {}

void ShardRate::refill(TimePoint now) {
  const double seconds = std::chrono::duration<double>(now - refilled_).count();
  refilled_ = now;
  if (mode_ == StreamMode::on_demand) {
    // Only if more would be sent can it be found out whether more is accepted.
    rate_ += held_back_ ? rate_ * increase_ * std::min(seconds, 1.0) : 0;
  } else {
    rate_ = std::min(kMax, rate_ + increase_ * seconds);
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

void ShardRate::settle(std::size_t bytes, bool refused, TimePoint taken_at) {
  if (taken_at < lowered_) {
    return;
  }
  settled_cost_ += cost(bytes);
  refused_cost_ += refused ? cost(bytes) : 0;
}

void ShardRate::judge(TimePoint now) {
  const auto enough = refused_cost_ < kRefusedForSure ? kJudged : kMinJudged;
  if (settled_cost_ <= 0 || now - judged_ < enough) {
    return;
  }
  const double refused = refused_cost_ / settled_cost_;
  if (refused > kTolerated) {
    rate_ = std::max(kMin, rate_ * (1 - refused) * kDecrease);
    increase_ = kMinIncrease;
    lowered_ = now;
  } else {
    increase_ = std::min(kMaxIncrease, 2 * increase_);
  }
  judged_ = now;
  settled_cost_ = refused_cost_ = 0;
}

}  // namespace everyitem::sink
