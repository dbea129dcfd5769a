#include "pipeline/delivery_pace.h"

#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace everyitem::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct DeliveryPaceTest : testing::Test {
  FakeClock clock{std::chrono::system_clock::time_point()};
  DeliveryPace pace{clock};

  void deliver(std::uint64_t bytes, std::chrono::nanoseconds time) {
    pace.begin();
    clock.advance(time);
    pace.end(bytes);
  }
};

TEST_F(DeliveryPaceTest, MeasuresDeliveries) {
  for (int i = 0; i < 100; ++i) {
    deliver(40'000, milliseconds(100));
  }
  EXPECT_NEAR(pace.bytes_per_second(), 400'000, 40'000);
  EXPECT_NEAR(static_cast<double>(pace.bytes_within(seconds(5))), 2'000'000, 200'000);
}

TEST_F(DeliveryPaceTest, ParallelTimeCountsOnce) {
  for (int i = 0; i < 100; ++i) {
    pace.begin();
    pace.begin();
    clock.advance(milliseconds(100));
    pace.end(20'000);
    pace.end(20'000);
  }
  EXPECT_NEAR(pace.bytes_per_second(), 400'000, 40'000);
}

TEST_F(DeliveryPaceTest, IdlenessIsNotSlowness) {
  for (int i = 0; i < 100; ++i) {
    deliver(400'000, milliseconds(100));
    clock.advance(minutes(1));
  }
  EXPECT_NEAR(pace.bytes_per_second(), 4'000'000, 400'000);
}

TEST_F(DeliveryPaceTest, BurstIsNotPace) {
  deliver(1'000'000, milliseconds(10));
  EXPECT_LT(pace.bytes_per_second(), 2'000'000);
}

TEST_F(DeliveryPaceTest, FollowsChanges) {
  for (int i = 0; i < 300; ++i) {
    deliver(1'000'000, milliseconds(100));
  }
  for (int i = 0; i < 150; ++i) {
    deliver(10'000, milliseconds(100));
  }
  EXPECT_LT(pace.bytes_per_second(), 1'000'000);
}

TEST_F(DeliveryPaceTest, SilenceIsNeverNothing) {
  deliver(1'000'000, milliseconds(100));
  pace.begin();
  const double before = pace.bytes_per_second();
  clock.advance(seconds(10));
  EXPECT_LT(pace.bytes_per_second(), before / 4);
  clock.advance(std::chrono::hours(100));
  EXPECT_EQ(pace.bytes_within(seconds(5)), 1U);
}

}  // namespace
}  // namespace everyitem::pipeline
