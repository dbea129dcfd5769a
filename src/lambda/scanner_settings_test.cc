#include "lambda/scanner_settings.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "options/scan_options.h"
#include "support/temporary_home.h"
#include "support/wrong_settings.h"

namespace everyitem::lambda {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTableArn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders";
constexpr const char* kStreamArn = "arn:aws:kinesis:eu-west-1:123456789012:stream/backfill";

ScannerSettings read(const std::string& event, Variables more = {}) {
  more.try_emplace("TABLE_ARN", kTableArn);
  more.try_emplace("STREAM_ARN", kStreamArn);
  more.try_emplace("CHECKPOINT", "sqlite:/mnt/run");
  return read_scanner_settings(environment_of(std::move(more)), boost::json::parse(event));
}

std::string refusal(const std::string& event, const Variables& more = {}) {
  try {
    read(event, more);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.message().worded(as_variable);
  }
  return "not refused";
}

TEST(ScannerSettings, EmptyEventTakesEnvironment) {
  for (const char* event : {"null", "{}"}) {
    const ScannerSettings settings = read(event);
    EXPECT_EQ(settings.scan.table.arn, kTableArn);
    EXPECT_EQ(settings.scan.stream->arn, kStreamArn);
    EXPECT_EQ(settings.scan.checkpoint,
              checkpoint::CheckpointLocation(checkpoint::SqliteLocation{.path = "/mnt/run"}));
    EXPECT_FALSE(settings.scan.restart);
    EXPECT_EQ(settings.handover, std::chrono::seconds(15));
    EXPECT_EQ(settings.chain.round, 1U);
  }
}

TEST(ScannerSettings, EachFlagHasASetting) {
  const ScannerSettings settings = read("{}", {{"SEGMENTS", "8"},
                                               {"READ_UNITS", "12.5"},
                                               {"AGGREGATE", "true"},
                                               {"CONSISTENT", "false"},
                                               {"MAX_WAIT", "10m"},
                                               {"FILTER", "#s = :s"},
                                               {"NAMES", R"({"#s":"status"})"},
                                               {"VALUES", R"({":s":{"S":"--open"}})"},
                                               {"HANDOVER_SECONDS", "7.5"}});
  EXPECT_EQ(settings.scan.segments, 8U);
  EXPECT_EQ(settings.scan.read_rate.units, 12.5);
  EXPECT_TRUE(settings.scan.aggregate);
  EXPECT_FALSE(settings.scan.scan.consistent_read);
  EXPECT_EQ(settings.scan.max_wait, std::chrono::minutes(10));
  EXPECT_EQ(settings.scan.scan.filter_expression, "#s = :s");
  EXPECT_EQ(settings.scan.scan.attribute_values, R"({":s":{"S":"--open"}})");
  EXPECT_EQ(settings.handover, std::chrono::milliseconds(7500));
}

TEST(ScannerSettings, TheEventOverridesTheEnvironment) {
  const ScannerSettings settings = read(
      R"({"restart": true, "read_units": 5, "SEGMENTS": "4", "names": {"#a": "b"}, "projection": "#a",
               "aggregate": false, "filter": null})",
      {{"READ_UNITS", "100"}, {"SEGMENTS", "8"}, {"AGGREGATE", "true"}, {"FILTER", "x"}});
  EXPECT_TRUE(settings.scan.restart);
  EXPECT_EQ(settings.scan.read_rate.units, 5);
  EXPECT_EQ(settings.scan.segments, 4U);
  EXPECT_EQ(settings.scan.scan.attribute_names, R"({"#a":"b"})");
  EXPECT_FALSE(settings.scan.aggregate);
  EXPECT_EQ(settings.scan.scan.filter_expression, "");
}

TEST(ScannerSettings, EventsSayOnlyHow) {
  for (const char* event :
       {R"({"table_arn": "x"})", R"({"STREAM_ARN": "x"})", R"({"checkpoint": "ssm:/x"})",
        R"({"role_arn": "x"})", R"({"endpoint_url": "http://127.0.0.1:1"})",
        R"({"dead_letters": "/etc/passwd"})", R"({"insecure_http": true})"}) {
    EXPECT_THAT(refusal(event), HasSubstr("an event may not set ")) << event;
  }
  EXPECT_EQ(read(R"({"checkpoint": "ssm:/x"})", {{"EVENT_MAY_SET", "REGION, CHECKPOINT"}})
                .scan.checkpoint,
            checkpoint::CheckpointLocation(checkpoint::SsmLocation{.prefix = "/x"}));
  EXPECT_THAT(refusal(R"({"event_may_set": "TABLE_ARN"})"), HasSubstr("unknown setting"));
}

TEST(ScannerSettings, WrongSettingNamedAsSet) {
  EXPECT_THAT(refusal(R"({"read_unit": 5})"),
              AllOf(HasSubstr("\"read_unit\""), HasSubstr("READ_UNITS")));
  EXPECT_THAT(refusal(R"({"to": "-"})"), HasSubstr("\"to\""));
  EXPECT_THAT(refusal("[]"), HasSubstr("not an object"));
  EXPECT_THAT(refusal("{}", {{"TABLE_ARN", ""}}), HasSubstr("TABLE_ARN is not set"));
  EXPECT_THAT(refusal("{}", {{"STREAM_ARN", ""}}), HasSubstr("STREAM_ARN is not set"));
  EXPECT_THAT(refusal("{}", {{"CHECKPOINT", ""}}), HasSubstr("CHECKPOINT is not set"));
  EXPECT_THAT(refusal("{}", {{"CHECKPOINT", "none"}}), HasSubstr("CHECKPOINT is none"));
  for (const char* handover : {"0", "-1", "901", "soon", "5s", "nan"}) {
    EXPECT_THAT(refusal("{}", {{"HANDOVER_SECONDS", handover}}),
                HasSubstr("HANDOVER_SECONDS is \"" + std::string(handover) + "\". Give a number"));
  }
  for (const char* segments : {"0", "many", "1000001"}) {
    EXPECT_THAT(refusal("{}", {{"SEGMENTS", segments}}),
                AllOf(HasSubstr("SEGMENTS"), Not(HasSubstr("--"))));
  }
  EXPECT_THAT(refusal("{}", {{"READ_UNITS", "-3"}}),
              AllOf(HasSubstr("READ_UNITS is \"-3\""), Not(HasSubstr("--"))));
  EXPECT_THAT(refusal("{}", {{"TABLE_ARN", "arn:aws:s3:::b"}}),
              AllOf(HasSubstr("TABLE_ARN"), Not(HasSubstr("--"))));
  EXPECT_THAT(refusal(R"({"everyitem": {"round": "x"}})"), HasSubstr("\"everyitem\""));
}

TEST(ScannerSettings, WrongSettings) {
  for (const WrongSettings& wrong : wrong_settings()) {
    options::GivenSettings given = wrong.given;
    given.insert(kRightSettings.begin(), kRightSettings.end());
    Variables variables;
    for (const auto& entry : options::scan_entries()) {
      if (const auto text = given.find(entry.id.name); text != given.end()) {
        variables[options::variable_of(entry)] = text->second;
      }
    }
    EXPECT_THAT(refusal("{}", variables),
                AllOf(HasSubstr(wrong.says.worded(as_variable)), Not(HasSubstr("--"))));
  }
}

TEST(ScannerSettings, FilesAreNotRead) {
  EXPECT_THAT(refusal(R"({"filter": "file:///proc/self/environ"})"),
              HasSubstr("FILTER is \"file:///proc/self/environ\". Only the command line reads"));
}

TEST(ScannerSettings, NextInvocationDoesNotRestart) {
  const auto event = boost::json::parse(R"({"Restart": true, "read_units": 5})");
  const std::string next = successor_event(
      event, {.round = 7, .rounds_without_progress = 2, .limit_left = 12, .ownership = "token 3"},
      true);
  const ScannerSettings settings = read(next);
  EXPECT_FALSE(settings.scan.restart);
  EXPECT_EQ(settings.scan.read_rate.units, 5);
  EXPECT_EQ(settings.chain.round, 7U);
  EXPECT_EQ(settings.chain.rounds_without_progress, 2U);
  EXPECT_EQ(settings.scan.limit, 12U);
  EXPECT_EQ(settings.chain.ownership, "token 3");
  EXPECT_EQ(read(successor_event(nullptr, {.round = 2}, true)).chain.round, 2U);
}

TEST(ScannerSettings, RestartRememberedUntilBegun) {
  const auto event = boost::json::parse(R"({"restart": true})");
  const std::string second = successor_event(event, {.round = 2}, false);
  EXPECT_TRUE(read(second).scan.restart);
  const std::string third = successor_event(boost::json::parse(second), {.round = 3}, false);
  EXPECT_TRUE(read(third).scan.restart);
  EXPECT_FALSE(read(successor_event(boost::json::parse(third), {.round = 4}, true)).scan.restart);
}

TEST(ScannerSettings, RestartInEnvironmentIsRefused) {
  EXPECT_THROW(check_environment(environment_of({{"RESTART", "true"}})), Error);
  EXPECT_NO_THROW(check_environment(environment_of({{"SEGMENTS", "many"}})));
}

TEST(ScannerSettings, SettingsAreWordedAsVariables) {
  const Message message = "set " + setting::kSegments("4") + " or " + setting::kTable +
                          ", or send " + setting::kRestart + "; a --segments --unknown";
  EXPECT_EQ(message.worded(as_variable),
            "set SEGMENTS=4 or TABLE_ARN, or send {\"restart\": true}; a --segments --unknown");
}

TEST(ScannerSettings, DocumentHasEachSettingOnce) {
  const std::filesystem::path document =
      std::filesystem::path(EVERYITEM_TESTDATA).parent_path().parent_path() / "docs/lambda.md";
  std::ifstream file(document);
  ASSERT_TRUE(file) << document;
  const std::regex row("^\\| `([A-Z_]+)` \\|[^|]*\\|( \\*environment\\*)?");
  std::multiset<std::string> documented;
  std::set<std::string> from_environment;
  for (std::string line; std::getline(file, line);) {
    if (std::smatch match; std::regex_search(line, match, row)) {
      documented.insert(match[1]);
      if (match[2].matched) {
        from_environment.insert(match[1]);
      }
    }
  }
  const std::vector<std::string> names = setting_names();
  EXPECT_EQ(documented, std::multiset<std::string>(names.begin(), names.end()));
  std::set<std::string> where_and_who{"EVENT_MAY_SET"};
  for (const auto& entry : options::scan_entries()) {
    if (entry.setting_class == options::SettingClass::where_and_who &&
        entry.doors == options::SettingDoors::all) {
      where_and_who.insert(options::variable_of(entry));
    }
  }
  EXPECT_EQ(from_environment, where_and_who);
}

}  // namespace
}  // namespace everyitem::lambda
