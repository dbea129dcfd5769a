#include "fault_run.h"

#include <gtest/gtest.h>

#include "support/simulation_size.h"

namespace everyitem::faults {
namespace {

/// The number of a run is its seed: `fault_runs --seed N --runs 1` is the same run.
class FaultRun : public testing::TestWithParam<std::uint64_t> {};

TEST_P(FaultRun, EveryItemArrives) {
  const FaultRunResult result = run_with_faults(GetParam());
  EXPECT_TRUE(result.as_promised()) << result.to_line();
}

INSTANTIATE_TEST_SUITE_P(Seeds, FaultRun,
                         testing::Range<std::uint64_t>(1, cases<std::uint64_t>(21, 61)));

TEST(KillRun, EveryItemArrives) {
  for (const bool calm : {true, false}) {
    const FaultRunResult result = run_with_kills(1, cases<std::uint64_t>(3, 12), calm);
    EXPECT_TRUE(result.as_promised()) << result.to_line();
    EXPECT_EQ(result.kills.size(), 3U) << result.to_line();
    EXPECT_EQ(result.faults == 0, calm) << result.to_line();
  }
}

}  // namespace
}  // namespace everyitem::faults
