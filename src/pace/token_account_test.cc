#include "pace/token_account.h"

#include <gtest/gtest.h>

namespace everyitem::pace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TokenAccount::TimePoint kStart{std::chrono::hours(1)};

TEST(TokenAccount, EarnsBeforeItPays) {
  TokenAccount account(10, kStart);
  EXPECT_EQ(account.wait_for(3, kStart), milliseconds(300));
  EXPECT_EQ(account.wait_for(3, kStart + milliseconds(200)), milliseconds(100));
  EXPECT_EQ(account.wait_for(3, kStart + milliseconds(300)), seconds(0));
  account.take(3);
  EXPECT_EQ(account.wait_for(3, kStart + milliseconds(300)), milliseconds(300));
}

TEST(TokenAccount, SavingsAreCapped) {
  TokenAccount account(10, kStart);
  const auto later = kStart + seconds(100);
  EXPECT_EQ(account.wait_for(1, later), seconds(0)) << "less than what was saved";
  EXPECT_EQ(account.wait_for(5, later), seconds(0));
  account.take(5);
  EXPECT_EQ(account.wait_for(5, later), milliseconds(500));
}

TEST(TokenAccount, LargePagesOverdraw) {
  TokenAccount account(10, kStart);
  EXPECT_EQ(account.wait_for(50, kStart), milliseconds(500));
  EXPECT_EQ(account.wait_for(50, kStart + milliseconds(500)), seconds(0));
  account.take(50);
  EXPECT_EQ(account.wait_for(1, kStart + milliseconds(500)), milliseconds(4600));
}

TEST(TokenAccount, SavesForWaitingPage) {
  TokenAccount account(10, kStart);
  EXPECT_EQ(account.wait_for(50, kStart, 30), seconds(3));
  EXPECT_EQ(account.wait_for(20, kStart, 30), seconds(2));
  account.set_rate(10, kStart + seconds(2));
  EXPECT_EQ(account.wait_for(50, kStart + seconds(2), 30), seconds(1));
  EXPECT_EQ(account.wait_for(50, kStart + seconds(3), 30), seconds(0));
  account.take(50);
  account.set_rate(10, kStart + seconds(100));
  account.take(5);
  EXPECT_EQ(account.wait_for(1, kStart + seconds(100)), milliseconds(100)) << "nobody waited";
}

TEST(TokenAccount, ReturnedUnitsAreAvailable) {
  TokenAccount account(10, kStart);
  account.wait_for(5, kStart + seconds(1));
  account.take(5);
  account.give_back(4);
  EXPECT_EQ(account.wait_for(4, kStart + seconds(1)), seconds(0));
}

TEST(TokenAccount, NewRateNotRetroactive) {
  TokenAccount account(10, kStart);
  account.set_rate(100, kStart + milliseconds(300));  // 3 were earned
  EXPECT_EQ(account.wait_for(23, kStart + milliseconds(300)), milliseconds(200));
}

TEST(TokenAccount, LongWaitIsCapped) {
  TokenAccount account(1e-13, kStart);
  account.take(100);
  EXPECT_GE(account.wait_for(1, kStart), std::chrono::hours(1));
  EXPECT_LE(account.wait_for(1, kStart), std::chrono::hours(24));
}

TEST(TokenAccount, ZeroRateEarnsNothing) {
  TokenAccount account(10, kStart);
  account.set_rate(0, kStart + milliseconds(300));  // 3 were earned
  account.set_rate(10, kStart + seconds(100));
  EXPECT_EQ(account.wait_for(4, kStart + seconds(100)), milliseconds(100));
}

}  // namespace
}  // namespace everyitem::pace
