#include "cli/progress_display.h"

#include <array>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace everyitem::cli {
namespace {

using std::chrono::seconds;

run::ScanProgress half_way() {
  return {.counters = {.pages_read = 10,
                       .items_scanned = 500,
                       .items_read = 400,
                       .read_units = 1280,
                       .items_delivered = 400,
                       .bytes_delivered = 160'000,
                       .segments_complete = 1},
          .segments = 4,
          .items_before = 0,
          .estimated_items = 1000};
}

/// A stream that keeps what is written.
class Output {
 public:
  Output() : file_(std::tmpfile()) {}
  ~Output() { std::fclose(file_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  std::FILE* file() { return file_; }
  std::string text() {
    std::rewind(file_);
    std::array<char, 4096> buffer{};
    return {buffer.data(), std::fread(buffer.data(), 1, buffer.size(), file_)};
  }

 private:
  std::FILE* file_;
};

TEST(Estimate, ShareOfScannedItems) {
  const Estimate half = estimate(half_way(), 100);
  EXPECT_DOUBLE_EQ(*half.percent, 50);
  EXPECT_DOUBLE_EQ(*half.seconds_left, 5);
}

TEST(Estimate, AbsentWhenTableSaysNothing) {
  run::ScanProgress progress = half_way();
  progress.estimated_items = 0;
  EXPECT_FALSE(estimate(progress, 100).percent);
  EXPECT_FALSE(estimate(progress, 100).seconds_left);
  EXPECT_FALSE(estimate(half_way(), 0).seconds_left);
}

TEST(Estimate, GrownTableStaysInBounds) {
  run::ScanProgress progress = half_way();
  progress.items_before = 9000;
  EXPECT_DOUBLE_EQ(*estimate(progress, 100).percent, 100);
  EXPECT_DOUBLE_EQ(*estimate(progress, 100).seconds_left, 0);
}

TEST(ProgressText, MarksEstimates) {
  EXPECT_EQ(progress_text(half_way(), {.items = 100, .bytes = 40'000, .read_units = 12.8},
                          {.whole = seconds(5)}),
            "400 items  100 items/s  40.0 kB/s  ~50%  ~5.0 s left  12 RU/s  1 of 4 segments");
}

TEST(ProgressText, NoForecastAtFirst) {
  EXPECT_EQ(progress_text(half_way(), {.items = 100}, {.whole = seconds(4)}),
            "400 items  100 items/s  0 B/s  ~50%  0 RU/s  1 of 4 segments");
}

TEST(ProgressText, TroubleComesFirst) {
  run::ScanProgress progress = half_way();
  progress.dead_letters_before = 1;
  progress.counters.dead_letters = 2;
  progress.counters.segments_failed = 1;
  progress.throttled_requests = 1200;
  progress.requests_retried = 3;
  EXPECT_EQ(progress_text(progress, {}, {.standing_still = seconds(35)}),
            "400 items  0 items/s  0 B/s  ~50%  nothing delivered for 35 s  1 segment failed  3 "
            "dead letters  1,200 throttled  3 retried  0 RU/s  1 of 4 segments");
}

TEST(ProgressText, SaysWhatItWaitsFor) {
  EXPECT_EQ(progress_text({.throttled_requests = 12}, {}, {.standing_still = seconds(30)}),
            "connecting  nothing delivered for 30 s  12 throttled");
}

TEST(ProgressDisplay, JsonLinesWithoutTerminal) {
  Output out;
  ProgressDisplay display(DisplayMode::lines, out.file(), {});
  const auto start = std::chrono::steady_clock::time_point();
  display.update(half_way(), start + seconds(4));
  display.summarise(
      {.status = run::SummaryStatus::complete, .progress = half_way(), .elapsed = seconds(4)});
  const std::string text = out.text();
  const auto second = text.find('\n') + 1;
  const auto progress = boost::json::parse(text.substr(0, second));
  EXPECT_EQ(progress.at("event").as_string(), "progress");
  EXPECT_DOUBLE_EQ(progress.at("items_per_second").to_number<double>(), 100);
  EXPECT_DOUBLE_EQ(progress.at("percent_estimated").to_number<double>(), 50);
  const auto summary = boost::json::parse(text.substr(second));
  EXPECT_EQ(summary.at("status").as_string(), "complete");
  EXPECT_TRUE(summary.at("checkpoint").is_null());
}

TEST(ProgressDisplay, RewritesLineAroundNotices) {
  Output out;
  ProgressDisplay display(DisplayMode::terminal, out.file(), {});
  display.update(half_way(), {});
  display.notice("hello");
  const std::string text = out.text();
  EXPECT_TRUE(text.starts_with("\r\x1b[K400 items")) << text;
  EXPECT_TRUE(text.ends_with("\r\x1b[Keveryitem: hello\n")) << text;
}

TEST(ProgressDisplay, NoLineAmongItems) {
  Output out;
  ProgressDisplay display(DisplayMode::notices_only, out.file(), {});
  display.update(half_way(), {});
  display.notice("a notice");
  EXPECT_EQ(out.text(), "everyitem: a notice\n");
}

TEST(ProgressDisplay, QuietSaysOnlyNecessary) {
  Output out;
  ProgressDisplay display(DisplayMode::quiet, out.file(), {});
  display.update(half_way(), {});
  display.notice("a notice");
  display.summarise(
      {.status = run::SummaryStatus::complete, .progress = half_way(), .elapsed = seconds(4)});
  display.message("an error");
  EXPECT_EQ(out.text(), "everyitem: an error\n");
}

TEST(ProgressDisplay, NarrowTerminalsDropWholeParts) {
  Output out;
  ProgressDisplay display(DisplayMode::terminal, out.file(), {});
  run::ScanProgress progress = half_way();
  progress.requests_retried = 123456;
  progress.throttled_requests = 1234567;
  progress.records_sent_again = 1;
  progress.dead_letters_before = 1000;
  display.update(progress, {});
  // Not a terminal, so 80 columns are assumed.
  EXPECT_EQ(out.text(),
            "\r\x1b[K400 items  0 items/s  0 B/s  ~100%  1,000 dead letters  1,234,567 throttled");
}

}  // namespace
}  // namespace everyitem::cli
