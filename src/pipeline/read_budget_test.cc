#include "pipeline/read_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace everyitem::pipeline {
namespace {

using Mode = source::ReadCapacity::Mode;
using testing::AllOf;
using testing::HasSubstr;

const source::ReadCapacity kProvisioned{.mode = Mode::provisioned, .units_per_second = 500};
const source::ReadCapacity kOnDemand{.mode = Mode::on_demand};

TEST(ReadBudget, IsInUnitsWhateverTheTableAllows) {
  EXPECT_EQ(units_per_second({.units = 50}, kProvisioned), 50);
  EXPECT_EQ(units_per_second({.units = 5000}, kOnDemand), 5000);
  EXPECT_EQ(budget_text({.units = 50}, kProvisioned), "read budget: 50 read units/s");
  EXPECT_EQ(budget_text({.units = 5000}, kOnDemand), "read budget: 5000 read units/s");
}

TEST(ReadBudget, ThatIsMoreThanTheTableAllowsIsSaidToBe) {
  EXPECT_EQ(budget_text({.units = 501}, kProvisioned),
            "read budget: 501 read units/s, more than the table allows (provisioned: 500 read "
            "units/s)");
}

TEST(ReadBudget, OrAShareOfWhatTheTableAllows) {
  EXPECT_EQ(units_per_second({.percent = 25}, kProvisioned), 125);
  EXPECT_EQ(budget_text({.percent = 0.5}, kProvisioned),
            "read budget: 2.5 read units/s, 0.5% of the table's (provisioned: 500 read units/s)");
}

TEST(ReadBudget, WorkersAreToldThatItIsForAllOfThem) {
  EXPECT_EQ(budget_text({.percent = 0.5}, kProvisioned, 3),
            "read budget: 2.5 read units/s for all 3 workers together, 0.5% of the table's "
            "(provisioned: 500 read units/s)");
  EXPECT_THAT(budget_text({}, kProvisioned, 3), HasSubstr("no read budget: reading as fast"));
}

TEST(ReadBudget, NoDefaultIsAssumedWhereTheTableDoesNotSay) {
  for (const auto& capacity : {kOnDemand, source::ReadCapacity{}}) {
    try {
      units_per_second({.percent = 25}, capacity);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("--read-percent 25"), HasSubstr("--read-units N")));
    }
  }
}

TEST(ReadBudget, WithoutOneItIsSaidWhatTheTableAllows) {
  EXPECT_EQ(units_per_second({}, kProvisioned), std::nullopt);
  EXPECT_EQ(budget_text({}, kProvisioned),
            "no read budget: reading as fast as the table allows (provisioned: 500 read units/s); "
            "--read-units N or --read-percent P limits it");
  EXPECT_THAT(budget_text({}, kOnDemand), HasSubstr("(on demand, no maximum set)"));
}

}  // namespace
}  // namespace everyitem::pipeline
