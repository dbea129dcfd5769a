#include "run/rate_claim.h"

#include <array>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/clock.h"

namespace everyitem::run {
namespace {

using Others = std::vector<RateClaim>;

TEST(RateClaim, AloneHasAll) {
  EXPECT_DOUBLE_EQ(next_claim(100, {}, Others{}), 100);
  EXPECT_DOUBLE_EQ(next_claim(100, 5, Others{}), 100) << "nobody else wants the rest";
}

TEST(RateClaim, LatecomerWaitsForOthers) {
  EXPECT_DOUBLE_EQ(next_claim(100, {}, Others{{.units = 100}}), 0);
  EXPECT_DOUBLE_EQ(next_claim(100, {}, Others{{.units = 0}}), 50) << "the first, at its next turn";
  EXPECT_DOUBLE_EQ(next_claim(100, {}, Others{{.units = 50}}), 50);
  EXPECT_DOUBLE_EQ(next_claim(100, {}, Others{{.units = 70}}), 30);
}

TEST(RateClaim, OthersGetUnwanted) {
  const Others others = {{.units = 10, .wanted = 10}, {.units = 0, .wanted = {}}};
  EXPECT_DOUBLE_EQ(next_claim(100, {}, others), 45);
  EXPECT_DOUBLE_EQ(next_claim(100, 20, Others{{.units = 0}, {.units = 0}}), 20);
  // What nobody wants is there for whoever wants it next.
  EXPECT_DOUBLE_EQ(next_claim(100, 20, Others{{.units = 0, .wanted = 10}}), 20 + 35);
}

TEST(RateClaim, ClaimsWithinReadRate) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Random random(seed);
    std::vector<RateClaim> claims(1 + random.bits() % 20);
    const double rate = 1000 * random.uniform() + 1;
    double sum = 0;
    for (std::size_t turn = 0; turn < 20 * claims.size(); ++turn) {
      const std::size_t who = random.bits() % claims.size();
      std::optional<double> wanted;
      if (random.uniform() < 0.3) {
        wanted = rate * random.uniform();
      }
      Others others;
      for (std::size_t i = 0; i < claims.size(); ++i) {
        if (i != who) {
          others.push_back(claims[i]);
        }
      }
      claims[who] = {.units = next_claim(rate, wanted, others), .wanted = wanted};
      sum = 0;
      for (const RateClaim& claim : claims) {
        EXPECT_GE(claim.units, 0);
        sum += claim.units;
      }
      ASSERT_LE(sum, rate * (1 + 1e-9));
    }
    // Once nothing changes any more.
    for (int round = 0; round < 2; ++round) {
      for (std::size_t who = 0; who < claims.size(); ++who) {
        Others others = claims;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(who));
        claims[who].units = next_claim(rate, claims[who].wanted, others);
      }
    }
    sum = 0;
    for (const RateClaim& claim : claims) {
      sum += claim.units;
    }
    EXPECT_NEAR(sum, rate, rate * 1e-9);
  }
}

TEST(RateUse, FullUseWantsMore) {
  RateUse use;
  std::chrono::steady_clock::time_point now;
  double read = 0;
  const auto after_turns = [&](int turns, double units_a_second, double claim) {
    std::optional<double> wanted;
    for (int turn = 0; turn < turns; ++turn) {
      now += std::chrono::seconds(2);
      read += 2 * units_a_second;
      wanted = use.wanted(read, claim, now);
    }
    return wanted;
  };
  EXPECT_EQ(use.wanted(0, 0, now), std::nullopt);
  EXPECT_EQ(after_turns(10, 95, 100), std::nullopt);
  EXPECT_EQ(after_turns(1, 0, 100), std::nullopt) << "one turn says little";
  const std::optional<double> wanted = after_turns(20, 40, 100);
  ASSERT_TRUE(wanted);
  EXPECT_NEAR(*wanted, 40 / RateUse::kUsed, 1);
  EXPECT_TRUE(after_turns(20, 40, 58)) << "it has what it wants";
  EXPECT_EQ(after_turns(20, 58, 58), std::nullopt) << "it has use for more again";
}

}  // namespace
}  // namespace everyitem::run
