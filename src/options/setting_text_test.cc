#include "options/setting_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::options {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

TEST(SettingText, Counts) {
  EXPECT_EQ(parse_count(setting::kSegments, "1", 1, 10), 1U);
  EXPECT_EQ(parse_count(setting::kSegments, "10", 1, 10), 10U);
  for (const char* wrong :
       {"0", "11", "-1", "+1", "1.5", "many", "5k", "", " 1", "1 ", "99999999999999999999"}) {
    EXPECT_THAT(message_of([&] { parse_count(setting::kSegments, wrong, 1, 10); }),
                AllOf(HasSubstr(std::string("--segments is \"") + wrong + "\""),
                      HasSubstr("from 1 to 10")));
  }
}

TEST(SettingText, Amounts) {
  EXPECT_EQ(parse_amount(setting::kReadUnits, "0.5", 100), 0.5);
  EXPECT_EQ(parse_amount(setting::kReadUnits, "100", 100), 100);
  for (const char* wrong : {"0", "-5", "nan", "inf", "100.1", "many", "", "1,5", "25%"}) {
    EXPECT_THAT(message_of([&] { parse_amount(setting::kReadUnits, wrong, 100); }),
                HasSubstr("--read-units is \""));
  }
  EXPECT_THAT(message_of([] { parse_amount(setting::kReadPercent, "25%", 100, "%"); }),
              HasSubstr("without \"%\""));
}

TEST(SettingText, Durations) {
  const auto parse = [](std::string_view text) {
    return parse_duration(SettingId{"max-wait"}, text, std::chrono::hours(48));
  };
  EXPECT_EQ(parse("45"), seconds(45));
  EXPECT_EQ(parse("30s"), seconds(30));
  EXPECT_EQ(parse("10m"), std::chrono::minutes(10));
  EXPECT_EQ(parse("6h"), std::chrono::hours(6));
  EXPECT_EQ(parse("2d"), std::chrono::hours(48));
  for (const char* wrong :
       {"0", "0s", "49h", "3d", "soon", "1h30m", "-1s", "", "s", "1.5h", "9223372036854775807d"}) {
    EXPECT_THAT(message_of([&] { parse(wrong); }),
                AllOf(HasSubstr("--max-wait is \""), HasSubstr("6h")));
  }
}

TEST(SettingText, SwitchesAndChoices) {
  EXPECT_TRUE(parse_switch(setting::kAggregate, "true"));
  EXPECT_FALSE(parse_switch(setting::kAggregate, "false"));
  for (const char* wrong : {"", "yes", "1", "True"}) {
    EXPECT_THAT(message_of([&] { parse_switch(setting::kAggregate, wrong); }),
                HasSubstr("--aggregate is \""));
  }
  EXPECT_EQ(parse_choice(setting::kKinesisWire, "json", {"auto", "json"}), 1U);
  EXPECT_THAT(message_of([] {
                parse_choice(setting::kKinesisWire, "xml", {"auto", "json"});
              }),
              HasSubstr("Give one of: auto, json."));
}

}  // namespace
}  // namespace everyitem::options
