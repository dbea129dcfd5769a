#include "aws/retry.h"

#include <optional>

#include <gtest/gtest.h>

namespace everyitem::aws {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Repetition, UnsafeOnlyBeforeArrival) {
  EXPECT_TRUE(may_repeat(Repetition::safe, true));
  EXPECT_TRUE(may_repeat(Repetition::safe, false));
  EXPECT_TRUE(may_repeat(Repetition::unsafe, false));
  EXPECT_FALSE(may_repeat(Repetition::unsafe, true));
}

class RetriesTest : public testing::Test {
 protected:
  using Time = Retries::TimePoint;

  Time now_{hours(1)};
  Retries retries_ = Retries({}, now_);
};

TEST_F(RetriesTest, ThrottlingNeverEnds) {
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_TRUE(retries_.failed(ErrorClass::throttle, now_ += hours(1)));
  }
}

TEST_F(RetriesTest, FailingEndsWithPatience) {
  EXPECT_EQ(retries_.failed(ErrorClass::transient, now_), minutes(2));
  EXPECT_EQ(retries_.failed(ErrorClass::transient, now_ + seconds(119)), seconds(1));
  EXPECT_EQ(retries_.failed(ErrorClass::transient, now_ + seconds(120)), std::nullopt);
}

TEST_F(RetriesTest, MaxWaitBoundsBoth) {
  Retries retries(waiting_at_most(seconds(3)), now_);
  EXPECT_EQ(retries.failed(ErrorClass::throttle, now_ + seconds(2)), seconds(1));
  EXPECT_EQ(retries.failed(ErrorClass::transient, now_ + seconds(4)), seconds(1));
  EXPECT_EQ(retries.failed(ErrorClass::throttle, now_ + seconds(4)), std::nullopt);
}

TEST_F(RetriesTest, ThrottleForgivesEarlierFailures) {
  EXPECT_TRUE(retries_.failed(ErrorClass::throttle, now_ += hours(3)));
  EXPECT_EQ(retries_.failed(ErrorClass::transient, now_), minutes(2));
}

TEST_F(RetriesTest, RemediesAreTriedOnce) {
  EXPECT_TRUE(retries_.failed(ErrorClass::expired_credentials, now_ + hours(1)));
  EXPECT_FALSE(retries_.failed(ErrorClass::expired_credentials, now_ + hours(1)));
  for (int i = 0; i < kClockCorrections; ++i) {
    EXPECT_TRUE(retries_.failed(ErrorClass::clock_skew, now_));
  }
  EXPECT_FALSE(retries_.failed(ErrorClass::clock_skew, now_));
}

TEST_F(RetriesTest, FatalFailuresNotRetried) {
  EXPECT_FALSE(retries_.failed(ErrorClass::fatal, now_));
  EXPECT_FALSE(retries_.failed(ErrorClass::invalid, now_));
}

TEST_F(RetriesTest, ExcludedTimeNotCounted) {
  retries_.exclude(minutes(10));
  EXPECT_EQ(retries_.failed(ErrorClass::transient, now_ + minutes(11)), minutes(1));
}

TEST_F(RetriesTest, RemainingTimeBoundsSilence) {
  EXPECT_EQ(retries_.max_silence(now_), minutes(2));
  EXPECT_EQ(retries_.max_silence(now_ + seconds(100)), seconds(20));
  EXPECT_EQ(retries_.max_silence(now_ + seconds(119)), kMinSilence);
  const Retries short_one(waiting_at_most(seconds(3)), now_);
  EXPECT_EQ(short_one.max_silence(now_), kMinSilence);
}

TEST(Backoff, SpreadDoublesToCap) {
  const Backoff backoff{.base = milliseconds(100), .cap = seconds(1)};
  EXPECT_EQ(backoff.wait(1, 0.0), milliseconds(0));
  EXPECT_EQ(backoff.wait(1, 0.5), milliseconds(50));
  EXPECT_EQ(backoff.wait(2, 0.5), milliseconds(100));
  EXPECT_EQ(backoff.wait(3, 0.5), milliseconds(200));
  EXPECT_EQ(backoff.wait(5, 0.5), milliseconds(500));
  EXPECT_EQ(backoff.wait(1'000'000, 0.5), milliseconds(500));
}

TEST(Backoff, LongestWaitIsSpread) { EXPECT_EQ(Backoff::longest(0.25), seconds(5)); }

TEST(RetryAfter, SecondsReadAndBounded) {
  EXPECT_EQ(parse_retry_after("3"), seconds(3));
  EXPECT_EQ(parse_retry_after("0"), seconds(0));
  EXPECT_EQ(parse_retry_after("4000000000"), kMaxRetryAfter);
  for (const std::string_view header :
       {"", "x", "-1", "3 s", "99999999999999", "Mon, 23 Nov 2026 03:44:38 GMT"}) {
    EXPECT_FALSE(parse_retry_after(header)) << header;
  }
}

TEST(RetryBudget, RetriesSpendSuccessesEarn) {
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

TEST(RetryBudget, NeverMoreThanFull) {
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
