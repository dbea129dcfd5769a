#include "pace/page_costs.h"

#include <cmath>

#include <gtest/gtest.h>

namespace everyitem::pace {
namespace {

constexpr double kLargest = 128;
constexpr double kHalfACharge = 0.25;  ///< what rounding adds on average

PageCosts after(int pages, std::uint64_t items, double units) {
  PageCosts costs(kLargest);
  for (int page = 0; page < pages; ++page) {
    costs.add(items, units);
  }
  return costs;
}

TEST(PageCosts, FirstPageOneItem) { EXPECT_EQ(PageCosts(kLargest).limit_for({.target = 2.5}), 1U); }

TEST(PageCosts, FewPagesAtFirst) {
  EXPECT_DOUBLE_EQ(PageCosts(kLargest).expected({.target = 50}, 1), kLargest);
  EXPECT_DOUBLE_EQ(after(1, 1, 0.5).expected({.target = 50}, 1), 50);
  EXPECT_DOUBLE_EQ(after(10, 1, 0.5).expected({.target = 50}, 1), 5);
  EXPECT_NEAR(after(100, 1, 0.5).expected({.target = 50}, 1), 0.5, 1e-9);
}

TEST(PageCosts, CheapPagesAreUnlimited) {
  EXPECT_EQ(PageCosts(kLargest).limit_for({.target = kLargest}), std::nullopt);
  const PageCosts costs = after(20, 300, 120);
  EXPECT_EQ(costs.limit_for({.target = kLargest}), std::nullopt);
  EXPECT_NEAR(costs.expected({.target = kLargest}, std::nullopt), 120, 1e-9);
}

TEST(PageCosts, PagesAtMostDouble) {
  PageCosts costs(kLargest);
  constexpr double kUnitsPerItem = 0.05;
  std::uint64_t before = 1;
  for (int page = 0; page < 12; ++page) {
    const std::uint64_t limit = *costs.limit_for({.target = 2.5});
    EXPECT_LE(limit, 2 * before);
    costs.add(limit, kUnitsPerItem * static_cast<double>(limit) + kHalfACharge);
    before = limit;
  }
  EXPECT_NEAR(static_cast<double>(before), 50, 1);
  EXPECT_NEAR(costs.expected({.target = 2.5}, before), 2.5, 0.1);
}

TEST(PageCosts, CostlyPageShrinksNext) {
  PageCosts costs = after(100, 50, 2.5 + kHalfACharge);
  EXPECT_NEAR(static_cast<double>(*costs.limit_for({.target = 2.5})), 50, 1);
  costs.add(50, 128);
  EXPECT_LT(*costs.limit_for({.target = 2.5}), 20U);
}

TEST(PageCosts, PageJustifiesItsCharge) {
  // A page of one small item costs the smallest charge. More of them cost no more.
  PageCosts costs(kLargest);
  EXPECT_DOUBLE_EQ(costs.charge(), 0.5);
  constexpr std::uint64_t kItemsPerCharge = 80;
  std::uint64_t limit = 1;
  for (int page = 0; page < 20; ++page) {
    costs.add(limit, costs.charge() * std::ceil(static_cast<double>(limit) / kItemsPerCharge));
    limit = *costs.limit_for({.target = 16 * costs.charge(), .min = 12 * costs.charge()});
  }
  EXPECT_GE(limit, 12 * kItemsPerCharge);
  EXPECT_LE(limit, 18 * kItemsPerCharge);
}

TEST(PageCosts, SegmentsWithLargerItems) {
  EXPECT_EQ(after(100, 50, 2.5).limit_for({.target = 2.5, .units_per_item = 1}), 2U);
}

TEST(PageCosts, ExpectationFollowsLastPages) {
  const PageCosts costs = after(100, 50, 2.5 + kHalfACharge);
  EXPECT_NEAR(costs.expected({.target = 2.5}, 1), 2.5 + kHalfACharge, 1e-9);
  EXPECT_NEAR(costs.expected({.target = 2.5}, 100), 5, 1e-9);
}

TEST(PageCosts, ExpensiveItemReadAlone) {
  const PageCosts costs = after(20, 1, 50);
  EXPECT_EQ(costs.limit_for({.target = 2.5}), 1U);
  EXPECT_NEAR(costs.expected({.target = 2.5}, 1), 50, 1e-9);
}

TEST(PageCosts, ExpectedCostIsBounded) {
  EXPECT_DOUBLE_EQ(after(20, 1, 50).expected({.target = 2.5}, 1000), kLargest);
  EXPECT_DOUBLE_EQ(after(1, 1, 50).expected({.target = 1000}, 1), kLargest);
}

TEST(PageCosts, PagesCountWithoutItems) {
  const PageCosts costs = after(100, 0, 0.5);
  EXPECT_EQ(costs.limit_for({.target = 5}), 1U);
  EXPECT_NEAR(costs.expected({.target = 5}, 1), 0.5, 1e-9);
}

}  // namespace
}  // namespace everyitem::pace
