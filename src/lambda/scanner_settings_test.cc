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

TEST(ScannerSettings, EachFlagHasSetting) {
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

TEST(ScannerSettings, EventOverridesEnvironment) {
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
        R"({"dead_letters": "/etc/passwd"})", R"({"insecure_http": true})", R"({"max_rounds": 1})",
        R"({"event_may_set": "TABLE_ARN"})"}) {
    EXPECT_THAT(refusal(event), HasSubstr("an event may not set ")) << event;
  }
  EXPECT_EQ(read(R"({"checkpoint": "ssm:/x"})", {{"EVENT_MAY_SET", "REGION, CHECKPOINT"}})
                .scan.checkpoint,
            checkpoint::CheckpointLocation(checkpoint::SsmLocation{.prefix = "/x"}));
  EXPECT_EQ(read(R"({"max_rounds": 5})", {{"EVENT_MAY_SET", "MAX_ROUNDS"}}).max_rounds, 5U);
}

TEST(ScannerSettings, EventBridgeSettings) {
  const std::string_view rule = R"({"version":"0","id":"1","detail-type":"Scheduled Event",
      "source":"aws.events","account":"123456789012","time":"2026-11-27T12:00:00Z",
      "region":"eu-west-1","resources":["arn:aws:events:eu-west-1:1:rule/r"],"detail":)";
  const auto with = [&rule](std::string_view detail) {
    return std::string(rule) + std::string(detail) + "}";
  };
  for (const char* nothing : {"{}", R"("{}")"}) {  // the Scheduler's is a text
    const ScannerSettings settings = read(with(nothing));
    EXPECT_FALSE(settings.from_function || settings.wait || settings.resume);
    EXPECT_FALSE(settings.scan.restart);
    EXPECT_EQ(successor_event(boost::json::parse(with(nothing)), {}, false),
              R"({"everyitem":{"round":1,"roundsWithoutProgress":0}})");
  }
  EXPECT_EQ(read(with(R"({"read_units": 5})")).scan.read_rate.units, 5);
  EXPECT_THAT(refusal(with(R"({"bucket": "b"})")), HasSubstr(R"(unknown setting "bucket")"));
  for (const char* other : {"7", R"("words")", "null", R"({"everyitem": {}})"}) {
    EXPECT_THAT(refusal(with(other)), HasSubstr(R"("detail")")) << other;
  }
}

TEST(ScannerSettings, OwnEventsAreTold) {
  EXPECT_FALSE(read("{}").from_function);
  EXPECT_FALSE(read(R"({"restart": true})").from_function);
  EXPECT_TRUE(read(successor_event(nullptr, {.asked_at = 5}, false)).from_function);
  EXPECT_EQ(read(successor_event(nullptr, {.asked_at = 5}, false)).chain.asked_at, 5);
}

TEST(ScannerSettings, WaitResumeAndRounds) {
  const ScannerSettings nothing = read("{}");
  EXPECT_FALSE(nothing.wait || nothing.resume);
  EXPECT_TRUE(read(R"({"wait": true})").wait);
  EXPECT_FALSE(nothing.once);
  EXPECT_TRUE(read(R"({"once": true})").once);
  EXPECT_FALSE(read(R"({"wait": false})", {{"WAIT", "true"}}).wait);
  EXPECT_TRUE(read(R"({"resume": true})").resume);
  EXPECT_THAT(refusal(R"({"wait": "yes"})"), HasSubstr("WAIT is \"yes\""));
  EXPECT_THAT(refusal(R"({"resume": true, "restart": true})"), HasSubstr("both given"));
  EXPECT_EQ(read("{}", {{"MAX_ROUNDS", "3"}}).max_rounds, 3U);
  for (const char* rounds : {"0", "-1", "many", "1.5", "5000000000"}) {
    EXPECT_THAT(refusal("{}", {{"MAX_ROUNDS", rounds}}), HasSubstr("MAX_ROUNDS is"));
  }
}

TEST(ScannerSettings, WrongSettingIsNamed) {
  EXPECT_THAT(refusal(R"({"read_unit": 5})"),
              AllOf(HasSubstr("\"read_unit\""), HasSubstr("Did you mean READ_UNITS?")));
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

TEST(ScannerSettings, NextInvocationNeverRestarts) {
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

TEST(ScannerSettings, EnvironmentRestartIsRefused) {
  EXPECT_THROW(check_environment(environment_of({{"RESTART", "true"}}), {}), Error);
  EXPECT_THROW(check_environment(environment_of({{"RESUME", "true"}}), {}), Error);
  EXPECT_NO_THROW(check_environment(environment_of({{"SEGMENTS", "many"}}), {}));
}

TEST(ScannerSettings, MistypedVariablesAreRefused) {
  const auto said = [](const std::string& variable) {
    try {
      check_environment(environment_of({}), {"PATH", variable});
    } catch (const Error& error) {
      return error.message().worded(as_variable);
    }
    return std::string();
  };
  EXPECT_THAT(said("READ_UNIT"),
              AllOf(HasSubstr("READ_UNIT is set"), HasSubstr("Did you mean READ_UNITS?")));
  for (const char* mistyped : {"TABEL_ARN", "STREAM_ARM", "CHECKPONT", "MAX_ROUND", "SEGMENT"}) {
    EXPECT_THAT(said(mistyped), HasSubstr("Did you mean ")) << mistyped;
  }
  for (const std::string& name : setting_names()) {
    EXPECT_EQ(said(name), "");
  }
  // What Lambda sets (its "Defined runtime environment variables"), a shell, extensions.
  for (const char* other : {"_HANDLER",
                            "_X_AMZN_TRACE_ID",
                            "AWS_DEFAULT_REGION",
                            "AWS_REGION",
                            "AWS_EXECUTION_ENV",
                            "AWS_LAMBDA_FUNCTION_NAME",
                            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                            "AWS_LAMBDA_FUNCTION_VERSION",
                            "AWS_LAMBDA_INITIALIZATION_TYPE",
                            "AWS_LAMBDA_LOG_GROUP_NAME",
                            "AWS_LAMBDA_LOG_STREAM_NAME",
                            "AWS_ACCESS_KEY",
                            "AWS_ACCESS_KEY_ID",
                            "AWS_SECRET_ACCESS_KEY",
                            "AWS_SESSION_TOKEN",
                            "AWS_LAMBDA_RUNTIME_API",
                            "LAMBDA_TASK_ROOT",
                            "LAMBDA_RUNTIME_DIR",
                            "TZ",
                            "LANG",
                            "LD_LIBRARY_PATH",
                            "NODE_PATH",
                            "PYTHONPATH",
                            "GEM_PATH",
                            "HOME",
                            "PWD",
                            "OLDPWD",
                            "SHLVL",
                            "HOSTNAME",
                            "USER",
                            "TERM",
                            "SHELL",
                            "TMPDIR",
                            "STAGE",
                            "LOG_LEVEL",
                            "DD_API_KEY",
                            "OTEL_SERVICE_NAME",
                            "SSL_CERT_FILE",
                            "HTTPS_PROXY",
                            "NO_PROXY",
                            "http_proxy"}) {
    EXPECT_EQ(said(other), "") << other;
  }
}

TEST(ScannerSettings, ExceptionsNameSettings) {
  EXPECT_NO_THROW(check_environment(environment_of({{"EVENT_MAY_SET", "REGION, TABLE_ARN"}}), {}));
  EXPECT_THROW(check_environment(environment_of({{"EVENT_MAY_SET", "REGION,TABEL_ARN"}}), {}),
               Error);
}

TEST(ScannerSettings, SettingsWordedAsVariables) {
  const Message message = "set " + setting::kSegments("4") + " or " + setting::kTable +
                          ", or send " + setting::kRestart + "; a --segments --unknown";
  EXPECT_EQ(message.worded(as_variable),
            "set SEGMENTS=4 or TABLE_ARN, or send {\"restart\": true}; a --segments --unknown");
}

TEST(ScannerSettings, DocumentHasEachSetting) {
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
  std::set<std::string> where_and_who;
  for (const std::string& name : names) {
    if (class_of(name) == options::SettingClass::where_and_who) {
      where_and_who.insert(name);
    }
  }
  EXPECT_EQ(from_environment, where_and_who);
}

}  // namespace
}  // namespace everyitem::lambda
