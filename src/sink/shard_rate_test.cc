#include "sink/shard_rate.h"

#include <gtest/gtest.h>

namespace everyitem::sink {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using TimePoint = ShardRate::TimePoint;

constexpr TimePoint kStart{std::chrono::hours(1)};

/// How many records of `bytes` may be taken now.
int taken(ShardRate& rate, std::size_t bytes) {
  int records = 0;
  for (; rate.has_allowance(); ++records) {
    rate.take(bytes);
  }
  return records;
}

/// A second of 1,000 small records, of which some are refused.
void send_a_second(ShardRate& rate, TimePoint& now, int refused) {
  for (int i = 0; i < 1000; ++i) {
    rate.settle(100, i < refused, now);
  }
  now += seconds(1);
  rate.judge(now);
  rate.refill(now);
}

TEST(ShardRate, RecordsOrBytesLimit) {
  const auto taken_in_100_ms = [](std::size_t bytes) {
    ShardRate rate(StreamMode::provisioned, kStart);
    taken(rate, bytes);
    rate.refill(kStart + milliseconds(100));
    return taken(rate, bytes);
  };
  EXPECT_NEAR(taken_in_100_ms(100), 98, 1);
  EXPECT_NEAR(taken_in_100_ms(4096), 25, 1) << "of 98 KiB";
}

TEST(ShardRate, SavesFifthOfSecond) {
  ShardRate rate(StreamMode::provisioned, kStart);
  EXPECT_NEAR(taken(rate, 0), 196, 1);
  rate.refill(kStart + std::chrono::hours(1));
  EXPECT_NEAR(taken(rate, 0), 196, 1);
}

TEST(ShardRate, LargeRecordIsOwed) {
  ShardRate rate(StreamMode::provisioned, kStart);
  rate.take(1 << 20);
  rate.refill(kStart + milliseconds(800));
  EXPECT_FALSE(rate.has_allowance());
  rate.refill(kStart + milliseconds(830));
  EXPECT_TRUE(rate.has_allowance());
}

TEST(ShardRate, GiveBackRestores) {
  ShardRate rate(StreamMode::provisioned, kStart);
  rate.take(1 << 20);
  rate.give_back(1 << 20);
  EXPECT_NEAR(taken(rate, 0), 196, 1);
}

TEST(ShardRate, LoweredThenRisesFaster) {
  ShardRate rate(StreamMode::provisioned, kStart);
  TimePoint now = kStart;
  send_a_second(rate, now, 500);
  EXPECT_NEAR(rate.rate(), 0.98 / 2 * 0.97, 0.01);
  const double lowered = rate.rate();
  for (int second = 0; second < 5; ++second) {
    send_a_second(rate, now, 0);
  }
  EXPECT_NEAR(rate.rate() - lowered, 0.02, 0.01);
  for (int second = 0; second < 30; ++second) {
    send_a_second(rate, now, 0);
  }
  EXPECT_EQ(rate.rate(), ShardRate::kMax);
}

TEST(ShardRate, FewRefusalsAreTolerated) {
  ShardRate rate(StreamMode::provisioned, kStart);
  TimePoint now = kStart;
  for (int second = 0; second < 100; ++second) {
    send_a_second(rate, now, second % 5 == 0 ? 140 : 0);
  }
  EXPECT_EQ(rate.rate(), ShardRate::kMax);
  for (int second = 0; second < 5; ++second) {
    send_a_second(rate, now, 40);
  }
  EXPECT_LT(rate.rate(), ShardRate::kMax);
}

TEST(ShardRate, OldRefusalsAreIgnored) {
  ShardRate rate(StreamMode::provisioned, kStart);
  TimePoint now = kStart;
  send_a_second(rate, now, 500);
  const double lowered = rate.rate();
  for (int i = 0; i < 1000; ++i) {
    rate.settle(100, true, kStart + milliseconds(900));
  }
  rate.judge(now + seconds(10));
  EXPECT_EQ(rate.rate(), lowered);
}

TEST(ShardRate, NeverReachesZero) {
  ShardRate rate(StreamMode::provisioned, kStart);
  TimePoint now = kStart;
  for (int second = 0; second < 100; ++second) {
    send_a_second(rate, now, 1000);
  }
  EXPECT_GE(rate.rate(), ShardRate::kMin);
  EXPECT_LT(rate.rate(), 2 * ShardRate::kMin);
}

TEST(ShardRate, OnDemandGrowth) {
  ShardRate rate(StreamMode::on_demand, kStart);
  TimePoint now = kStart;
  for (int second = 0; second < 60; ++second) {
    send_a_second(rate, now, 0);
  }
  EXPECT_EQ(rate.rate(), 1);
  for (int second = 0; second < 60; ++second) {
    rate.hold_back();
    send_a_second(rate, now, 0);
  }
  EXPECT_GT(rate.rate(), 2);
}

}  // namespace
}  // namespace everyitem::sink
