#include "run/run_forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everyitem::run {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// 100 million items of 400 B: 4.9 million read units.
RunOutlook large_table() {
  return {.items = 100'000'000,
          .bytes = 40'000'000'000,
          .items_left = 100'000'000,
          .bytes_per_read_unit = 8192,
          .read_capacity = 20'000,
          .destination = {.records_per_second = 40'000, .bytes_per_second = 40 << 20},
          .kept_for = std::chrono::hours(24)};
}

TEST(Forecast, FewShardsLimit) {
  const auto expected = forecast(large_table());
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->bottleneck, Bottleneck::destination_records);
  EXPECT_NEAR(expected->time.count(), 2500, 1);
  EXPECT_NEAR(expected->read_units_per_second, 1953, 1);
  EXPECT_THAT(
      forecast_notices(large_table()),
      ElementsAre("it takes at least 41 min 40 s, limited by the stream's 40,000 records/s, "
                  "so that only about 1,953 of 20,000 read units/s are used; --aggregate "
                  "packs many items into each record"));
}

TEST(Forecast, AggregatedByBytes) {
  RunOutlook outlook = large_table();
  outlook.aggregated = true;
  EXPECT_THAT(forecast_notices(outlook),
              ElementsAre("it takes at least 15 min 54 s, limited by the stream's 41.9 MB/s, so "
                          "that only about 5,120 of 20,000 read units/s are used"));
}

TEST(Forecast, LongerThanRetention) {
  RunOutlook outlook = large_table();
  outlook.read_rate = 50;
  EXPECT_THAT(
      forecast_notices(outlook),
      ElementsAre("it takes at least 1 d 3 h, limited by the read rate of 50 read units/s",
                  "warning: the stream keeps records for 24 h only, and the run takes longer: what "
                  "is not consumed by then is lost. Extend the stream's retention period"));
  outlook.items_left /= 2;  // resumed
  EXPECT_EQ(forecast_notices(outlook).size(), 1U);
}

TEST(Forecast, OwnRateNamedFirst) {
  RunOutlook outlook = large_table();
  outlook.filtered = true;
  outlook.read_rate = outlook.read_capacity;
  EXPECT_EQ(forecast(outlook)->bottleneck, Bottleneck::read_rate);
}

TEST(Forecast, LowRateIsExact) {
  RunOutlook outlook = large_table();
  outlook.read_rate = 0.4169971447;
  EXPECT_THAT(forecast_notices(outlook).at(0).text(),
              testing::HasSubstr("rate of 0.417 read units/s"));
}

TEST(Forecast, FilteredByReadingAlone) {
  RunOutlook outlook = large_table();
  outlook.filtered = true;
  EXPECT_EQ(forecast(outlook)->bottleneck, Bottleneck::table);
}

TEST(Forecast, NothingKnown) {
  RunOutlook outlook = large_table();
  outlook.read_capacity = 0;
  outlook.destination = {};
  EXPECT_FALSE(forecast(outlook));
  EXPECT_THAT(forecast_notices(outlook), IsEmpty());
  outlook = large_table();
  outlook.bytes = 0;
  EXPECT_FALSE(forecast(outlook));
}

TEST(Forecast, ShortRunsNeedNone) {
  RunOutlook outlook = large_table();
  outlook.items_left = 1000;
  EXPECT_THAT(forecast_notices(outlook), IsEmpty());
}

}  // namespace
}  // namespace everyitem::run
