#include "pace/throttled_rate.h"

#include <gtest/gtest.h>

namespace everyitem::pace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr ThrottledRate::TimePoint kStart{std::chrono::hours(1)};

/// The rate after reading 100 units per second for `for_seconds`, starting at kStart.
ThrottledRate reading(int for_seconds) {
  ThrottledRate rate;
  for (int i = 0; i < 10 * for_seconds; ++i) {
    rate.served(10, kStart + milliseconds(100 * i));
  }
  return rate;
}

TEST(ThrottledRate, UnlimitedWithoutThrottling) {
  EXPECT_EQ(reading(10).at(kStart + seconds(10)), std::nullopt);
}

TEST(ThrottledRate, FirstSecondThrottlingIgnored) {
  ThrottledRate rate = reading(1);
  rate.refused(kStart, kStart + milliseconds(950));
  EXPECT_EQ(rate.at(kStart + seconds(1)), std::nullopt);
}

TEST(ThrottledRate, UnlimitedWithoutReportedUnits) {
  ThrottledRate rate;
  rate.served(0, kStart);
  rate.refused(kStart, kStart + seconds(2));
  EXPECT_EQ(rate.at(kStart + seconds(2)), std::nullopt);
}

TEST(ThrottledRate, DecreasesThenIncreases) {
  ThrottledRate rate = reading(3);
  const auto refused = kStart + seconds(3);
  rate.refused(refused, refused);
  EXPECT_DOUBLE_EQ(*rate.at(refused), 75);
  EXPECT_DOUBLE_EQ(*rate.at(refused + seconds(1)), 77);
  EXPECT_DOUBLE_EQ(*rate.at(refused + milliseconds(12'500)), 100);
  EXPECT_DOUBLE_EQ(*rate.at(refused + seconds(25)), 125);
}

TEST(ThrottledRate, MeasuresUntilTheRefusal) {
  ThrottledRate rate = reading(1);
  const auto refused = kStart + seconds(2);  // nothing was read for a second: 50 per second
  rate.refused(refused, refused);
  EXPECT_DOUBLE_EQ(*rate.at(refused), 37.5);
}

TEST(ThrottledRate, IgnoresEarlierRequests) {
  ThrottledRate rate = reading(3);
  const auto refused = kStart + seconds(3);
  rate.refused(refused, refused);
  rate.refused(refused - milliseconds(5), refused + milliseconds(10));
  rate.refused(refused + milliseconds(990), refused + seconds(3));
  EXPECT_DOUBLE_EQ(*rate.at(refused), 75);
}

TEST(ThrottledRate, StaysAboveMinimum) {
  ThrottledRate rate = reading(3);
  for (int i = 1; i < 1000; ++i) {
    const auto now = kStart + seconds(3 + i);
    rate.refused(now, now);
  }
  const auto end = kStart + seconds(1002);
  EXPECT_GE(*rate.at(end), 10);
  EXPECT_GE(*rate.at(end + seconds(45)), 100);
}

}  // namespace
}  // namespace everyitem::pace
