#include "pace/read_rate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace everyitem::pace {
namespace {

using Mode = source::ReadCapacity::Mode;
using testing::AllOf;
using testing::HasSubstr;

const source::ReadCapacity kProvisioned{.mode = Mode::provisioned, .units_per_second = 500};
const source::ReadCapacity kOnDemand{.mode = Mode::on_demand};

TEST(ReadRate, UnitsAreAbsolute) {
  EXPECT_EQ(units_per_second({.units = 50}, kProvisioned), 50);
  EXPECT_EQ(units_per_second({.units = 5000}, kOnDemand), 5000);
  EXPECT_EQ(read_rate_text({.units = 50}, kProvisioned), "read rate: 50 read units/s");
  EXPECT_EQ(read_rate_text({.units = 5000}, kOnDemand), "read rate: 5,000 read units/s");
}

TEST(ReadRate, ReportsRateAboveCapacity) {
  EXPECT_EQ(read_rate_text({.units = 500}, kProvisioned), "read rate: 500 read units/s");
  EXPECT_EQ(read_rate_text({.units = 501}, kProvisioned),
            "read rate: 501 read units/s, more than the table allows (provisioned: 500 read "
            "units/s)");
}

TEST(ReadRate, PercentOfCapacity) {
  EXPECT_EQ(units_per_second({.percent = 25}, kProvisioned), 125);
  EXPECT_EQ(read_rate_text({.percent = 0.5}, kProvisioned),
            "read rate: 2.5 read units/s, 0.5% of the table's (provisioned: 500 read units/s)");
}

TEST(ReadRate, SharedByAll) {
  EXPECT_EQ(read_rate_text({.percent = 0.5}, kProvisioned, 3),
            "read rate: 2.5 read units/s for all processes together, 0.5% of the table's "
            "(provisioned: 500 read units/s)");
  EXPECT_THAT(read_rate_text({}, kOnDemand, 3).text(),
              HasSubstr("no read rate set: reading as fast"));
}

TEST(ReadRate, UnknownCapacityRefusesPercent) {
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

TEST(ReadRate, HalfProvisionedByDefault) {
  EXPECT_EQ(units_per_second({}, kProvisioned), 250);
  EXPECT_EQ(read_rate_text({}, kProvisioned),
            "read rate: 250 read units/s, 50% of the table's (provisioned: 500 read units/s); the "
            "rest is left to others, --read-percent 100 takes all");
  source::ReadCapacity of_index = kProvisioned;
  of_index.of_index = true;
  EXPECT_THAT(read_rate_text({}, of_index).text(), HasSubstr("50% of the index's (provisioned"));
  EXPECT_EQ(units_per_second({.percent = 100}, kProvisioned), 500);
  EXPECT_EQ(units_per_second({.units = 500}, kProvisioned), 500);
}

TEST(ReadRate, NoDefaultLimitElsewhere) {
  EXPECT_EQ(units_per_second({}, kOnDemand), std::nullopt);
  EXPECT_EQ(units_per_second({}, source::ReadCapacity{}), std::nullopt);
  EXPECT_EQ(read_rate_text({}, kOnDemand),
            "no read rate set: reading as fast as the table allows (on demand, no maximum set); "
            "--read-units N limits it");
  const source::ReadCapacity with_maximum{.mode = Mode::on_demand, .units_per_second = 500};
  EXPECT_EQ(units_per_second({}, with_maximum), std::nullopt);
  EXPECT_EQ(read_rate_text({}, with_maximum),
            "no read rate set: reading as fast as the table allows (on demand, at most 500 read "
            "units/s); --read-units N or --read-percent P limits it");
}

}  // namespace
}  // namespace everyitem::pace
