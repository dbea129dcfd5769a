#include "aws/retry.h"

#include <gtest/gtest.h>

namespace everyitem::aws {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Repetition, UnsafeOnlyIfNotArrived) {
  EXPECT_TRUE(may_repeat(Repetition::safe, true));
  EXPECT_TRUE(may_repeat(Repetition::safe, false));
  EXPECT_TRUE(may_repeat(Repetition::unsafe, false));
  EXPECT_FALSE(may_repeat(Repetition::unsafe, true));
}

TEST(RetryLimits, ThrottleIsNoFailure) {
  EXPECT_FALSE(RetryLimits{}.give_up(ErrorClass::throttle, 1'000'000, hours(10)));
}

TEST(RetryLimits, TransientEndsAtBothBounds) {
  const RetryLimits limits{.attempts = 10, .elapsed = minutes(2)};
  EXPECT_FALSE(limits.give_up(ErrorClass::transient, 9, hours(1)));
  EXPECT_FALSE(limits.give_up(ErrorClass::transient, 1000, seconds(119)));
  EXPECT_TRUE(limits.give_up(ErrorClass::transient, 10, minutes(2)));
}

TEST(RetryLimits, RemediableRetriedFatalNever) {
  EXPECT_FALSE(RetryLimits{}.give_up(ErrorClass::expired_credentials, 1, seconds(0)));
  EXPECT_TRUE(RetryLimits{}.give_up(ErrorClass::expired_credentials, 2, seconds(0)));
  EXPECT_FALSE(RetryLimits{}.give_up(ErrorClass::clock_skew, kClockCorrections, seconds(0)));
  EXPECT_TRUE(RetryLimits{}.give_up(ErrorClass::clock_skew, kClockCorrections + 1, seconds(0)));
  EXPECT_TRUE(RetryLimits{}.give_up(ErrorClass::fatal, 1, seconds(0)));
}

TEST(Backoff, DoublesToCapFullySpread) {
  const Backoff backoff{.base = milliseconds(100), .cap = seconds(1)};
  EXPECT_EQ(backoff.wait(1, 0.0), milliseconds(0));
  EXPECT_EQ(backoff.wait(1, 0.5), milliseconds(50));
  EXPECT_EQ(backoff.wait(2, 0.5), milliseconds(100));
  EXPECT_EQ(backoff.wait(3, 0.5), milliseconds(200));
  EXPECT_EQ(backoff.wait(5, 0.5), milliseconds(500));
  EXPECT_EQ(backoff.wait(1'000'000, 0.5), milliseconds(500));
}

TEST(Backoff, TheLongestWaitIsSpreadToo) { EXPECT_EQ(Backoff::longest(0.25), seconds(5)); }

TEST(RetryAfter, IsReadInSecondsAndBounded) {
  EXPECT_EQ(parse_retry_after("3"), seconds(3));
  EXPECT_EQ(parse_retry_after("0"), seconds(0));
  EXPECT_EQ(parse_retry_after("4000000000"), kMaxRetryAfter);
  for (const std::string_view header :
       {"", "x", "-1", "3 s", "99999999999999", "Mon, 23 Nov 2026 03:44:38 GMT"}) {
    EXPECT_FALSE(parse_retry_after(header)) << header;
  }
}

TEST(RetryBudget, SpentByRetriesEarnedBySuccess) {
  RetryBudget budget;
  for (int repeat = 0; repeat < RetryBudget::kCapacity / RetryBudget::kCostOfARepeat; ++repeat) {
    EXPECT_TRUE(budget.spend());
  }
  EXPECT_FALSE(budget.spend());
  for (int success = 0; success < RetryBudget::kCostOfARepeat; ++success) {
    EXPECT_FALSE(budget.spend());
    budget.earn();
  }
  EXPECT_TRUE(budget.spend());
  EXPECT_FALSE(budget.spend());
}

TEST(RetryBudget, IsNeverMoreThanFull) {
  RetryBudget budget;
  for (int success = 0; success < 10 * RetryBudget::kCapacity; ++success) {
    budget.earn();
  }
  int repeats = 0;
  while (budget.spend()) {
    ++repeats;
  }
  EXPECT_EQ(repeats, RetryBudget::kCapacity / RetryBudget::kCostOfARepeat);
}

}  // namespace
}  // namespace everyitem::aws
