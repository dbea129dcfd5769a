#include "emulator/fault_plan.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace everyitem::emulator {
namespace {

TEST(FaultNames, EveryFaultHasOne) {
  for (const Fault fault : all_faults()) {
    EXPECT_EQ(fault_named(to_string(fault)), fault);
  }
  EXPECT_FALSE(fault_named("surprise"));
}

TEST(FaultRule, IsReadFromText) {
  const FaultRule by_rate = parse_fault_rule("reset_in_body=0.05");
  EXPECT_EQ(by_rate.fault, Fault::reset_in_body);
  EXPECT_DOUBLE_EQ(by_rate.rate, 0.05);
  EXPECT_EQ(by_rate.operation, "");
  const FaultRule at_call = parse_fault_rule("Scan:throttling@17");
  EXPECT_EQ(at_call.operation, "Scan");
  EXPECT_EQ(at_call.at, 17U);
  EXPECT_EQ(parse_fault_rule("PutRecords:stall=0.5x2").max, 2U);
  const FaultRule apart = parse_fault_rule("expired_token=0.1x5/300");
  EXPECT_DOUBLE_EQ(apart.rate, 0.1);
  EXPECT_EQ(apart.max, 5U);
  EXPECT_EQ(apart.apart, 300U);
  for (const std::string_view text :
       {"", "stall", "stall=", "stall=x", "stall=1/", "surprise=1", "stall@x"}) {
    EXPECT_THROW(parse_fault_rule(text), std::invalid_argument) << text;
  }
}

TEST(FaultPlan, StrikesChosenCallAlone) {
  FaultPlan plan({parse_fault_rule("Scan:stall@2")}, 1);
  for (int call = 0; call < 5; ++call) {
    EXPECT_FALSE(plan.next("PutRecords"));
    EXPECT_EQ(plan.next("Scan").has_value(), call == 2);
  }
  EXPECT_EQ(plan.struck().at(Fault::stall), 1U);
}

TEST(FaultPlan, KeepsRateAndMax) {
  FaultPlan plan({parse_fault_rule("throttling=0.2"), parse_fault_rule("stall=1x3")}, 1);
  int throttled = 0;
  int stalled = 0;
  for (int call = 0; call < 10'000; ++call) {
    const auto fault = plan.next("Scan");
    throttled += fault == Fault::throttling ? 1 : 0;
    stalled += fault == Fault::stall ? 1 : 0;
  }
  EXPECT_NEAR(throttled, 2000, 150);
  EXPECT_EQ(stalled, 3);
}

TEST(FaultPlan, ApartRulesStayApart) {
  FaultPlan plan({parse_fault_rule("expired_token=0.5/10"), parse_fault_rule("clock_skew=0.5/10"),
                  parse_fault_rule("throttling=0.5")},
                 1);
  std::optional<int> last;
  for (int call = 0; call < 1000; ++call) {
    const auto fault = plan.next(call % 2 == 0 ? "Scan" : "PutRecords");
    if (fault && is_remedied_once(*fault)) {
      EXPECT_GE(call - last.value_or(-10), 10);
      last = call;
    }
  }
  EXPECT_GT(plan.struck().at(Fault::expired_token), 20U);
  EXPECT_GT(plan.struck().at(Fault::clock_skew), 20U);
  EXPECT_GT(plan.struck().at(Fault::throttling), 400U);
}

TEST(FaultPlan, SameSeedSameFaults) {
  const auto faults = [](std::uint64_t seed) {
    FaultPlan plan({parse_fault_rule("throttling=0.3"), parse_fault_rule("reset_after=0.3")}, seed);
    std::vector<std::optional<Fault>> met;
    met.reserve(100);
    for (int call = 0; call < 100; ++call) {
      met.push_back(plan.next("Scan"));
    }
    return met;
  };
  EXPECT_EQ(faults(7), faults(7));
  EXPECT_NE(faults(7), faults(8));
}

TEST(FaultPlan, PutRecordsFaultsAlone) {
  FaultPlan plan({parse_fault_rule("partial_throttle=1")}, 1);
  EXPECT_FALSE(plan.next("Scan"));
  EXPECT_EQ(plan.next("PutRecords"), Fault::partial_throttle);
}

}  // namespace
}  // namespace everyitem::emulator
