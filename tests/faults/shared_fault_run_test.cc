#include "shared_fault_run.h"

#include <gtest/gtest.h>

#include "support/simulation_size.h"

namespace everyitem::faults {
namespace {

/// `fault_runs --shared --seed N --runs 1 --verbose` is the same run.
class SharedSimulation : public testing::TestWithParam<std::uint64_t> {};

TEST_P(SharedSimulation, PromisesAreKept) {
  const SharedFaultResult result = share_with_faults(GetParam());
  EXPECT_TRUE(result.as_promised()) << result.to_text();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SharedSimulation,
                         testing::Range<std::uint64_t>(1, kSanitized ? 6 : 26));

}  // namespace
}  // namespace everyitem::faults
