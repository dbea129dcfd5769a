#include "cli/standard_error.h"

#include <gtest/gtest.h>

#include "support/captured_output.h"
#include "support/fake_clock.h"

namespace everyitem::cli {
namespace {

const FakeClock kClock{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27} +
                       std::chrono::milliseconds(1)};

TEST(StandardError, Text) {
  const CapturedOutput out;
  StandardError errors(out.descriptor(), LogFormat::text, kClock);
  errors.message(LogLevel::warning, "a \x1b[1m\nword");
  errors.object({{"event", "summary"}});
  errors.passing("1 item", {{"event", "progress"}});
  EXPECT_EQ(out.text(), "everyitem: a \\u001b[1m word\neveryitem: 1 item\n");
}

TEST(StandardError, JsonWithoutTerminal) {
  const CapturedOutput out;
  StandardError errors(out.descriptor(), {}, kClock);
  errors.message(LogLevel::warning, "a \x1b[1m\n\"word\" \u202e\xff");
  errors.object({{"event", "summary"}, {"seconds", 12.5}});
  errors.passing("1 item", {{"event", "progress"}});
  EXPECT_FALSE(errors.can_rewrite());
  EXPECT_EQ(out.text(),
            R"({"timestamp":"2026-11-27T00:00:00.001Z","event":"message","level":"WARN",)"
            R"("message":"a \u001b[1m\n\"word\" \u202e)"
            "\xef\xbf\xbd\"}\n"
            R"({"timestamp":"2026-11-27T00:00:00.001Z","event":"summary","seconds":12.5})"
            "\n"
            R"({"timestamp":"2026-11-27T00:00:00.001Z","event":"progress"})"
            "\n");
}

TEST(LogFormat, KnownBeforeCommandLine) {
  EXPECT_EQ(log_format({"everyitem", "scna", "--log", "json"}), LogFormat::json);
  EXPECT_EQ(log_format({"everyitem", "scan", "--log=text"}), LogFormat::text);
  EXPECT_EQ(log_format({"everyitem", "--log"}), std::nullopt);
  EXPECT_EQ(log_format({"everyitem", "--logs=json", "--log", "xml"}), std::nullopt);
  EXPECT_EQ(log_format({"everyitem", "scan", "--", "--log", "json"}), std::nullopt);
}

}  // namespace
}  // namespace everyitem::cli
