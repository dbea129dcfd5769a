#include "options/setting_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::options {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

std::uint64_t count(std::string_view text) {
  return parse_count(setting::kSegments, text, 1, 2'000'000);
}

TEST(SettingText, Counts) {
  EXPECT_EQ(count("1"), 1U);
  EXPECT_EQ(count("2000000"), 2'000'000U);
  EXPECT_EQ(count("1,000"), 1000U);
  EXPECT_EQ(count("1,234,567"), 1'234'567U);
  EXPECT_EQ(count("5k"), 5000U);
  EXPECT_EQ(count("5K"), 5000U);
  EXPECT_EQ(count("1.005k"), 1005U);
  EXPECT_EQ(count("1.5M"), 1'500'000U);
  for (const char* wrong : {"0",        "2000001",
                            "-1",       "+1",
                            "1.5",      "1.0005k",
                            "many",     "5m",
                            "5kk",      "k",
                            "",         " 1",
                            "1 ",       "1,00",
                            "1,",       ",100",
                            "1000,000", "1.",
                            ".5",       "1e3",
                            "0x10",     "2,5k",
                            "1,0000",   "3M",
                            "5 k",      "99999999999999999999"}) {
    EXPECT_THAT(message_of([&] { count(wrong); }),
                AllOf(HasSubstr(std::string("--segments is \"") + wrong + "\""),
                      HasSubstr("from 1 to 2,000,000, such as 250, 1,000, 5k or 2M.")));
  }
  EXPECT_THAT(message_of([] { parse_count(setting::kSegments, "5k", 1, 100); }),
              HasSubstr("Give a whole number from 1 to 100."));
}

TEST(SettingText, Amounts) {
  const auto amount = [](std::string_view text) {
    return parse_amount(setting::kReadUnits, text, 2000);
  };
  EXPECT_EQ(amount("0.5"), 0.5);
  EXPECT_EQ(amount("1,000"), 1000);
  EXPECT_EQ(amount("1.5k"), 1500);
  EXPECT_EQ(amount("2000"), 2000);
  for (const char* wrong :
       {"0", "0.0", "-5", "nan", "inf", "2000.1", "many", "", "1,5", "25%", "1e999", "500/s"}) {
    EXPECT_THAT(message_of([&] { amount(wrong); }),
                AllOf(HasSubstr("--read-units is \""), HasSubstr("at most 2000, such as")));
  }
}

TEST(SettingText, Percentages) {
  for (const char* quarter : {"25", "25%", "25 %", "25.0"}) {
    EXPECT_EQ(parse_percent(setting::kReadPercent, quarter), 25);
  }
  EXPECT_EQ(parse_percent(setting::kReadPercent, "0.5%"), 0.5);
  EXPECT_EQ(parse_percent(setting::kReadPercent, "100"), 100);
  for (const char* wrong : {"0", "0%", "101", "%", "%25", "25%%", "a quarter", "-1", "", "1k"}) {
    EXPECT_THAT(message_of([&] { parse_percent(setting::kReadPercent, wrong); }),
                AllOf(HasSubstr("--read-percent is \""), HasSubstr("such as 25 or 0.5%")));
  }
}

TEST(SettingText, Durations) {
  const auto parse = [](std::string_view text) {
    return parse_duration(SettingId{"max-wait"}, text, std::chrono::hours(48));
  };
  EXPECT_EQ(parse("45"), seconds(45));
  EXPECT_EQ(parse("30s"), seconds(30));
  EXPECT_EQ(parse("60s"), parse("1m"));
  EXPECT_EQ(parse("10m"), std::chrono::minutes(10));
  EXPECT_EQ(parse("6h"), std::chrono::hours(6));
  EXPECT_EQ(parse("2d"), std::chrono::hours(48));
  for (const char* same : {"1h30m", "90m", "1h 30m", "1 h 30 min", "1 hour 30 minutes", "5400",
                           "5400 seconds", "1hr30min", "0d1h30m0s"}) {
    EXPECT_EQ(parse(same), std::chrono::minutes(90)) << same;
  }
  EXPECT_EQ(parse("1d2h3m4s"), seconds(93'784));
  for (const char* wrong : {"0",
                            "0s",
                            "49h",
                            "3d",
                            "soon",
                            "30m1h",
                            "1h1h",
                            "1h30",
                            "-1s",
                            "",
                            "s",
                            "1.5h",
                            "1 30",
                            "10 M",
                            "1h m",
                            "1month",
                            "1h,30m",
                            " 10m",
                            "9223372036854775807d",
                            "9223372036854775808",
                            "2d9223372036854775807s"}) {
    EXPECT_THAT(message_of([&] { parse(wrong); }),
                AllOf(HasSubstr(std::string("--max-wait is \"") + wrong + "\""),
                      HasSubstr("such as 45s, 10m or 1h30m; a number alone is seconds")));
  }
}

TEST(SettingText, RolesAreRoleArns) {
  constexpr const char* kRole = "arn:aws-cn:iam::123456789012:role/team/deploy";
  EXPECT_EQ(parse_role(setting::kRoleArn, kRole), kRole);
  for (const char* wrong :
       {"", "deploy", "arn:aws:iam::123456789012:user/deploy", "arn:aws:s3:::role/x",
        "arn:aws:sts::123456789012:assumed-role/deploy/x", "arn:aws:iam::123456789012:role/"}) {
    EXPECT_THAT(message_of([&] { parse_role(setting::kRoleArn, wrong); }),
                HasSubstr(std::string("--role-arn is \"") + wrong + "\""));
  }
}

TEST(SettingText, SwitchesAndChoices) {
  EXPECT_TRUE(parse_switch(setting::kAggregate, "true"));
  EXPECT_FALSE(parse_switch(setting::kAggregate, "false"));
  for (const char* wrong : {"", "yes", "1", "True"}) {
    EXPECT_THAT(message_of([&] { parse_switch(setting::kAggregate, wrong); }),
                HasSubstr("--aggregate is \""));
  }
  const auto wire = [](std::string_view text) {
    return parse_choice(setting::kKinesisWire, text, {"auto", "json"});
  };
  EXPECT_EQ(wire("json"), 1U);
  EXPECT_THAT(message_of([&] { wire("xml"); }),
              HasSubstr("--kinesis-wire is \"xml\". Give one of: auto, json."));
  EXPECT_THAT(message_of([&] { wire("JSN"); }),
              HasSubstr("Did you mean json? Give one of: auto, json."));
}

}  // namespace
}  // namespace everyitem::options
