#include "run/run_progress.h"

#include <gtest/gtest.h>

namespace everyitem::run {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

ScanProgress half_way() {
  return {.counters = {.items_scanned = 500, .items_read = 400, .items_delivered = 400},
          .segments = 4,
          .estimated_items = 1000};
}

steady_clock::time_point at(int second) { return steady_clock::time_point(seconds(second)); }

TEST(Estimate, ShareOfScannedItems) {
  const Estimate half = estimate(half_way(), {.done = 100});
  EXPECT_DOUBLE_EQ(*half.percent, 50);
  EXPECT_DOUBLE_EQ(*half.seconds_left, 5);
}

TEST(Estimate, NothingIsKnown) {
  ScanProgress progress = half_way();
  progress.estimated_items = 0;
  EXPECT_FALSE(estimate(progress, {.done = 100}).percent);
  EXPECT_FALSE(estimate(progress, {.done = 100}).seconds_left);
  EXPECT_FALSE(estimate(half_way(), {}).seconds_left);
}

// Hours old, it says 0 % of a table that was filled since, and 100 % from the first page.
TEST(Estimate, StaleNotShown) {
  ScanProgress progress = half_way();
  progress.items_before = 9000;
  EXPECT_FALSE(estimate(progress, {.done = 100}).percent);
  EXPECT_FALSE(estimate(progress, {.done = 100}).seconds_left);
  EXPECT_TRUE(estimate(progress, {.done = 100}).exceeded);
}

TEST(Estimate, FilteredBeforeIsUnknown) {
  ScanProgress progress = half_way();
  progress.filtered = true;
  EXPECT_TRUE(estimate(progress, {}).percent);
  progress.resumed = true;
  EXPECT_FALSE(estimate(progress, {}).percent);
}

TEST(ProgressBefore, CountsWhatIsStored) {
  checkpoint::RunState state{.segments = checkpoint::fresh_segments(3)};
  state.segments[0].items = 10;
  state.segments[0].bytes = 500;
  state.segments[2].items = 5;
  state.segments[2].dead_letters = 2;
  const ScanProgress progress = progress_before(state);
  EXPECT_EQ(progress.segments, 3U);
  EXPECT_EQ(progress.items_before, 13U);
  EXPECT_EQ(progress.dead_letters_before, 2U);
  EXPECT_EQ(progress.bytes_before, 500U);
  EXPECT_TRUE(progress.resumed && progress.begun);
}

TEST(CountOthers, AddsTheRest) {
  ScanProgress progress;
  progress.segments = 8;
  progress.counters.segments_complete = 3;
  progress.counters.items_delivered = 40;
  progress.counters.bytes_delivered = 4000;
  progress.counters.dead_letters = 1;
  progress.others_known = false;
  count_others(progress, {.items = 103, .bytes = 10'000, .dead_letters = 3});
  EXPECT_TRUE(progress.others_known);
  EXPECT_EQ(progress.counters.segments_complete, 8U);
  EXPECT_EQ(progress.items_before, 60U);
  EXPECT_EQ(progress.bytes_before, 6000U);
  EXPECT_EQ(progress.dead_letters(), 3U);
}

TEST(CountOthers, RepeatsAreItsOwn) {
  ScanProgress progress;
  progress.counters.items_delivered = 40;
  count_others(progress, {.items = 30});
  EXPECT_EQ(progress.items_before, 0U);
}

TEST(ProgressWindow, RatesOfLastSeconds) {
  ProgressWindow window(at(0));
  ScanProgress progress;
  for (int second = 1; second <= 20; ++second) {
    const std::uint64_t per_second = second <= 10 ? 100 : 10;
    progress.counters.items_delivered += per_second;
    progress.counters.bytes_delivered += 1000 * per_second;
    progress.counters.records_delivered += per_second;
    progress.counters.read_units += 0.5;
    const Rates rates = window.update(progress, at(second));
    if (second == 8) {
      EXPECT_DOUBLE_EQ(rates.items, 100);
    }
  }
  progress.throttled_requests = 1;
  const Rates rates = window.update(progress, at(21));
  EXPECT_NEAR(rates.items, 50.0 / 6, 0.01);
  EXPECT_NEAR(rates.bytes, 50'000.0 / 6, 10);
  EXPECT_NEAR(rates.read_units, 2.5 / 6, 0.01);
  EXPECT_NEAR(rates.done, 1100.0 / 21, 0.01);
  EXPECT_TRUE(rates.throttled);
}

TEST(ProgressWindow, EarlierProcessesExcluded) {
  ProgressWindow window(at(0));
  ScanProgress progress = half_way();
  progress.items_before = 1'000'000;
  progress.dead_letters_before = 7;
  EXPECT_DOUBLE_EQ(window.update(progress, at(5)).done, 100);
}

TEST(ProgressWindow, ForgetsAfterAMinute) {
  ProgressWindow window(at(0));
  ScanProgress progress;
  for (int second = 1; second <= 200; ++second) {
    progress.counters.items_delivered += second <= 100 ? 1000 : 1;
    const Rates rates = window.update(progress, at(second));
    if (second == 200) {
      EXPECT_DOUBLE_EQ(rates.done, 1);
    }
  }
}

TEST(Bottleneck, IsReachedLimit) {
  ScanProgress progress = half_way();
  progress.read_capacity = 20'000;
  progress.destination_limit = {.records_per_second = 40'000, .bytes_per_second = 40 << 20};
  EXPECT_EQ(bottleneck(progress, {}), std::nullopt);
  EXPECT_EQ(bottleneck(progress, {.records = 39'000, .read_units = 2000}),
            Bottleneck::destination_records);
  EXPECT_EQ(bottleneck(progress, {.bytes = 40e6, .read_units = 2000}),
            Bottleneck::destination_bytes);
  EXPECT_EQ(bottleneck(progress, {.read_units = 19'500}), Bottleneck::table);
  progress.read_rate = 500;
  EXPECT_EQ(bottleneck(progress, {.read_units = 480}), Bottleneck::read_rate);
  progress.shared = true;  // the rate is that of all processes
  EXPECT_EQ(bottleneck(progress, {.read_units = 480}), std::nullopt);
}

}  // namespace
}  // namespace everyitem::run
