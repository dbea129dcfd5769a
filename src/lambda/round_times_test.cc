#include "lambda/round_times.h"

#include <gtest/gtest.h>

namespace everyitem::lambda {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(RoundTimes, HandOverGetsRest) {
  const RoundTimes times = round_times(minutes(15), seconds(15));
  EXPECT_EQ(times.stop, seconds(885));
  EXPECT_EQ(times.give_up, seconds(898));
  EXPECT_EQ(times.answer, milliseconds(899'500));
}

TEST(RoundTimes, ShortTimeReadsHalf) {
  const RoundTimes times = round_times(seconds(10), seconds(15));
  EXPECT_EQ(times.stop, seconds(5));
  EXPECT_EQ(times.give_up, seconds(8));
  EXPECT_EQ(round_times(seconds(2), seconds(15)).give_up, milliseconds(1500));
}

TEST(RoundTimes, OrderWithAnyRest) {
  for (const int left : {-5000, 0, 1, 2, 100, 1999, 20'000, 900'000}) {
    for (const int handover : {1, 500, 15'000, 900'000}) {
      const RoundTimes times = round_times(milliseconds(left), milliseconds(handover));
      EXPECT_LE(milliseconds(0), times.stop);
      EXPECT_LE(times.stop, times.give_up);
      EXPECT_LE(times.give_up, times.answer);
      EXPECT_LE(times.answer, milliseconds(std::max(left, 0)));
    }
  }
}

}  // namespace
}  // namespace everyitem::lambda
