#include "cli/progress_display.h"

#include <cstdlib>
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "support/captured_output.h"
#include "support/fake_clock.h"

namespace everyitem::cli {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::year;

constexpr std::size_t kWide = 200;

/// Friday, 27 November 2026, 15:00, in UTC.
const std::chrono::system_clock::time_point kAfternoon =
    std::chrono::sys_days{year{2026} / 11 / 27} + std::chrono::hours(15);

run::ScanProgress half_way() {
  return {.counters = {.pages_read = 10,
                       .items_scanned = 400,
                       .items_read = 400,
                       .read_units = 1280,
                       .items_delivered = 400,
                       .bytes_delivered = 160'000,
                       .segments_complete = 1},
          .segments = 4,
          .items_before = 100,
          .estimated_items = 1000};
}

class ProgressText : public testing::Test {
 protected:
  ProgressText() {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};

run::Rates some_rates() {
  return {.items = 100, .bytes = 40'000, .records = 100, .read_units = 12.8, .done = 0.1};
}

TEST_F(ProgressText, WholeLine) {
  EXPECT_EQ(
      progress_text(half_way(), some_rates(), {.elapsed = minutes(5), .now = kAfternoon}, kWide),
      "500 items of ~1,000  50%  100 items/s  40.0 kB/s  5 min 0 s so far  ~1 h 23 min left, "
      "until 16:23  12 RU/s  1 of 4 segments");
}

TEST_F(ProgressText, LessAndLessFits) {
  const auto in = [](std::size_t columns) {
    return progress_text(half_way(), some_rates(), {.elapsed = minutes(5), .now = kAfternoon},
                         columns);
  };
  EXPECT_EQ(in(79),
            "500 items of ~1,000  50%  100 items/s  ~1 h 23 min left, until 16:23  12 RU/s");
  EXPECT_EQ(in(60), "500 items of ~1,000  50%  100 items/s  ~1 h 23 min left");
  EXPECT_EQ(in(39), "500 items  50%  ~1 h 23 min left");
  EXPECT_EQ(in(12), "500 items");
  EXPECT_EQ(in(8), "50%");
}

// At any width, each part is there as a whole or not at all.
TEST_F(ProgressText, NothingIsCut) {
  run::ScanProgress progress = half_way();
  progress.dead_letters_before = 1000;
  progress.counters.segments_failed = 1;
  progress.throttled_requests = 1'234'567;
  progress.requests_retried = 123'456;
  progress.destination_limit.records_per_second = 100;
  const Moment moment{.elapsed = minutes(5), .standing_still = seconds(35), .now = kAfternoon};
  const std::string whole = "  " + progress_text(progress, some_rates(), moment, 1000) + "  ";
  for (std::size_t columns = 0; columns < 300; ++columns) {
    const std::string line = progress_text(progress, some_rates(), moment, columns);
    ASSERT_LE(line.size(), columns);
    for (std::size_t begin = 0, end = 0; end < line.size(); begin = end + 2) {
      end = std::min(line.find("  ", begin), line.size());
      const std::string part = line.substr(begin, end - begin);
      const bool shorter = part == "500 items" || part == "12 RU/s" ||
                           part == "limited by the stream" || part == "~1 h 23 min left";
      ASSERT_TRUE(shorter || whole.find("  " + part + "  ") != std::string::npos) << part;
    }
  }
}

TEST_F(ProgressText, SmallPercentages) {
  run::ScanProgress progress = half_way();
  const auto shown = [&](std::uint64_t estimated) {
    progress.estimated_items = estimated;
    const std::string line = progress_text(progress, {}, {}, kWide);
    const std::size_t end = line.find('%');
    const std::size_t begin = line.rfind(' ', end) + 1;
    return line.substr(begin, end - begin + 1);
  };
  EXPECT_EQ(shown(1'000'000), "<0.1%");
  EXPECT_EQ(shown(100'000), "0.5%");
  EXPECT_EQ(shown(7000), "7.1%");
  EXPECT_EQ(shown(501), "99%");
  EXPECT_EQ(shown(500), "100%");
}

TEST_F(ProgressText, StaleEstimateSaysSo) {
  run::ScanProgress progress = half_way();
  progress.estimated_items = 20;
  EXPECT_EQ(progress_text(progress, some_rates(), {.elapsed = minutes(5)}, 60),
            "500 items (more than the ~20 expected)  100 items/s  12 RU/s");
}

TEST_F(ProgressText, EndOnAnotherDay) {
  run::ScanProgress progress = half_way();
  progress.estimated_items = 10'500;
  const auto until = [&](double per_second) {
    const std::string line = progress_text(progress, {.done = per_second},
                                           {.elapsed = minutes(5), .now = kAfternoon}, kWide);
    const std::size_t begin = line.find("until ");
    return line.substr(begin, line.find("  ", begin) - begin);
  };
  EXPECT_EQ(until(1), "until 17:46");
  EXPECT_EQ(until(0.1), "until Sat 18:46");
  EXPECT_EQ(until(0.01), "until Dec 9");
}

TEST_F(ProgressText, NoForecastAtFirst) {
  EXPECT_EQ(progress_text(half_way(), some_rates(), {.elapsed = seconds(4)}, kWide),
            "500 items of ~1,000  50%  100 items/s  40.0 kB/s  4.0 s so far  12 RU/s  1 of 4 "
            "segments");
}

TEST_F(ProgressText, TroubleIsShownFirst) {
  run::ScanProgress progress = half_way();
  progress.dead_letters_before = 1;
  progress.counters.dead_letters = 2;
  progress.counters.segments_failed = 1;
  progress.throttled_requests = 1200;
  progress.requests_retried = 3;
  EXPECT_EQ(progress_text(progress, {}, {.standing_still = seconds(35)}, 79),
            "500 items  50%  nothing delivered for 35 s  1 segment failed  3 dead letters");
  EXPECT_EQ(
      progress_text(progress, {}, {.standing_still = seconds(35)}, kWide),
      "500 items of ~1,000  50%  nothing delivered for 35 s  1 segment failed  3 dead letters  "
      "0 items/s  0 B/s  0.00 s so far  1,200 throttled  3 retried  0 RU/s  1 of 4 segments");
}

TEST_F(ProgressText, Connecting) {
  EXPECT_EQ(progress_text({.throttled_requests = 12}, {}, {.standing_still = seconds(30)}, kWide),
            "connecting  nothing delivered for 30 s  12 throttled");
}

TEST_F(ProgressText, ItemsMatchingFilter) {
  run::ScanProgress progress = half_way();
  progress.filtered = true;
  progress.items_before = 0;
  progress.counters.items_scanned = 20'000;
  progress.counters.items_delivered = 0;
  progress.counters.items_read = 0;
  progress.estimated_items = 100'000;
  EXPECT_EQ(progress_text(progress, {}, {}, 40), "0 of 20,000 items match  20%  0 items/s");
}

TEST_F(ProgressText, OthersAreUnknown) {
  run::ScanProgress progress = half_way();
  progress.shared = true;
  progress.others_known = false;
  progress.estimated_items = 0;
  EXPECT_EQ(progress_text(progress, {}, {}, 60),
            "400 items  0 items/s  0 B/s  0.00 s so far  0 RU/s");
  EXPECT_TRUE(progress_text(progress, {}, {}, kWide).ends_with("0 RU/s  4 segments"));
}

TEST_F(ProgressText, NamesTheBottleneck) {
  run::ScanProgress progress = half_way();
  progress.read_capacity = 20'000;
  progress.destination_limit.records_per_second = 40'000;
  const run::Rates rates{.items = 39'500, .records = 39'500, .read_units = 2000};
  EXPECT_EQ(
      progress_text(progress, rates, {}, kWide),
      "500 items of ~1,000  50%  39,500 items/s  0 B/s  0.00 s so far  limited by the records "
      "that the stream takes (--aggregate)  2,000 of 20,000 RU/s  1 of 4 segments");
}

class Display : public testing::Test {
 protected:
  std::string text() const { return out_.text(); }
  StandardError& errors(LogFormat format) {
    return errors_.emplace(out_.descriptor(), format, clock_);
  }

  CapturedOutput out_;
  FakeClock clock_{kAfternoon};
  std::optional<StandardError> errors_;
};

TEST_F(Display, LinesAreJsonObjects) {
  ProgressDisplay display(DisplayMode::lines, errors(LogFormat::json), clock_);
  display.notice("hello");
  display.notice("warning: too long");
  clock_.advance(seconds(4));
  display.update(half_way());
  display.summarise({.status = run::SummaryStatus::complete, .progress = half_way()}, "complete");
  std::vector<boost::json::value> lines;
  for (std::string rest = text(); !rest.empty(); rest.erase(0, rest.find('\n') + 1)) {
    lines.push_back(boost::json::parse(rest.substr(0, rest.find('\n'))));
  }
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].at("message"), "hello");
  EXPECT_EQ(lines[0].at("level"), "INFO");
  EXPECT_EQ(lines[1].at("level"), "WARN");
  lines.erase(lines.begin());
  EXPECT_EQ(lines[1].at("event"), "progress");
  EXPECT_EQ(lines[1].at("timestamp"), "2026-11-27T15:00:04.000Z");
  EXPECT_EQ(lines[1].at("items_total"), 500);
  EXPECT_DOUBLE_EQ(lines[1].at("items_per_second").to_number<double>(), 100);
  EXPECT_EQ(lines[2].at("message"), "complete");
  EXPECT_EQ(lines[2].at("status"), "complete");
  EXPECT_TRUE(lines[2].at("checkpoint").is_null());
}

TEST_F(Display, TextLinesWithoutTerminal) {
  ProgressDisplay display(DisplayMode::lines, errors(LogFormat::text), clock_, seconds(60));
  EXPECT_EQ(display.interval(), seconds(60));
  display.update(half_way());
  display.summarise({.status = run::SummaryStatus::complete}, "complete");
  EXPECT_TRUE(text().starts_with("everyitem: 500 items of ~1,000  50%  ")) << text();
  EXPECT_TRUE(text().ends_with("segments\neveryitem: complete\n")) << text();
}

TEST_F(Display, NoticesClearTheLine) {
  ProgressDisplay display(DisplayMode::terminal, errors(LogFormat::text), clock_);
  display.update(half_way());
  display.notice("hello");
  EXPECT_TRUE(text().starts_with("\r\x1b[K500 items of ~1,000")) << text();
  EXPECT_TRUE(text().ends_with("\r\x1b[Keveryitem: hello\n")) << text();
}

TEST_F(Display, NoProgressAmongItems) {
  ProgressDisplay display(DisplayMode::notices_only, errors(LogFormat::text), clock_);
  display.update(half_way());
  display.notice("a notice");
  EXPECT_EQ(text(), "everyitem: a notice\n");
}

TEST_F(Display, QuietSaysOnlyEnd) {
  ProgressDisplay display(DisplayMode::quiet, errors(LogFormat::text), clock_);
  display.update(half_way());
  display.notice("a notice");
  display.summarise({.status = run::SummaryStatus::complete}, "the end");
  display.message(LogLevel::error, "an error");
  EXPECT_EQ(text(), "everyitem: the end\neveryitem: an error\n");
}

}  // namespace
}  // namespace everyitem::cli
