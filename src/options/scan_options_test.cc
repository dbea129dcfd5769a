#include "options/scan_options.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/wrong_settings.h"

namespace everyitem::options {
namespace {

using testing::HasSubstr;

/// As a door collects them: flags, each with its value unless it is a switch.
run::ScanSettings parse(const std::vector<std::string>& arguments) {
  GivenSettings given;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    const std::string name = argument->substr(2);
    const auto entries = scan_entries();
    const auto entry = std::ranges::find_if(
        entries, [&](const SettingEntry<ScanOptions>& one) { return one.id.name == name; });
    if (entry == entries.end()) {
      ADD_FAILURE() << *argument;
      continue;
    }
    given[name] = entry->is_switch() ? "true" : *++argument;
  }
  return scan_settings(given);
}

/// The one line that the user sees, and that is about wrong usage.
std::string refusal(const GivenSettings& given) {
  try {
    scan_settings(given);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "not refused";
}

TEST(ScanOptions, TableIntoStream) {
  const auto settings = parse({"--table", "orders", "--stream", "backfill"});
  EXPECT_EQ(settings.table.name, "orders");
  EXPECT_EQ(settings.stream->name, "backfill");
  EXPECT_FALSE(settings.segments);
  EXPECT_FALSE(settings.threads);
  EXPECT_FALSE(settings.limit);
  EXPECT_FALSE(settings.random_partition_keys);
  EXPECT_EQ(settings.kinesis_wire, run::KinesisWire::automatic);
  EXPECT_FALSE(settings.restart);
}

TEST(ScanOptions, SharedRun) {
  EXPECT_FALSE(parse({"--table", "orders", "--stream", "s"}).share);
  EXPECT_TRUE(parse({"--table", "orders", "--stream", "s", "--share", "--checkpoint",
                     "dynamodb:checkpoints/nightly"})
                  .share);
}

TEST(ScanOptions, EverythingGiven) {
  const auto settings = parse({"--table",
                               "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
                               "--to",
                               "-",
                               "--segments",
                               "1000000",
                               "--threads",
                               "4",
                               "--index",
                               "by-date",
                               "--consistent",
                               "--filter",
                               "#s = :s",
                               "--projection",
                               "#s",
                               "--names",
                               R"({"#s":"status"})",
                               "--values",
                               R"({":s":{"S":"open"}})",
                               "--limit",
                               "10",
                               "--partition-key",
                               "random",
                               "--checkpoint",
                               "none",
                               "--restart",
                               "--profile",
                               "p",
                               "--region",
                               "eu-west-1",
                               "--endpoint-url",
                               "http://127.0.0.1:8000"});
  EXPECT_EQ(settings.table.region, "eu-west-1");
  EXPECT_FALSE(settings.stream);
  EXPECT_EQ(settings.output, sink::OutputLocation(sink::StandardOutput{}));
  EXPECT_EQ(settings.segments, 1'000'000U);
  EXPECT_EQ(settings.threads, 4U);
  EXPECT_EQ(settings.scan.index, "by-date");
  EXPECT_TRUE(settings.scan.consistent_read);
  EXPECT_EQ(settings.scan.filter_expression, "#s = :s");
  EXPECT_EQ(settings.scan.projection_expression, "#s");
  EXPECT_EQ(settings.scan.attribute_names, R"({"#s":"status"})");
  EXPECT_EQ(settings.scan.attribute_values, R"({":s":{"S":"open"}})");
  EXPECT_EQ(settings.limit, 10U);
  EXPECT_TRUE(settings.random_partition_keys);
  EXPECT_EQ(settings.checkpoint, checkpoint::CheckpointLocation(checkpoint::NoCheckpoint{}));
  EXPECT_TRUE(settings.restart);
  EXPECT_EQ(settings.identity.profile, "p");
  EXPECT_EQ(settings.identity.region, "eu-west-1");
  EXPECT_EQ(settings.identity.endpoint_url, "http://127.0.0.1:8000");
}

TEST(ScanOptions, KinesisWireChoice) {
  const auto wire = [](const std::string& text) {
    return parse({"--table", "orders", "--stream", "s", "--kinesis-wire", text}).kinesis_wire;
  };
  EXPECT_EQ(wire("auto"), run::KinesisWire::automatic);
  EXPECT_EQ(wire("cbor"), run::KinesisWire::cbor);
  EXPECT_EQ(wire("json"), run::KinesisWire::json);
}

TEST(ScanOptions, ParameterCheckpointInterval) {
  const std::vector<std::string> in_ssm = {"--table", "orders",       "--stream",
                                           "s",       "--checkpoint", "ssm:/orders"};
  EXPECT_FALSE(parse(in_ssm).checkpoint_interval);
  std::vector<std::string> rarely = in_ssm;
  rarely.insert(rarely.end(), {"--checkpoint-interval", "2m"});
  EXPECT_EQ(parse(rarely).checkpoint_interval, std::chrono::minutes(2));
}

TEST(ScanOptions, ReadUnitsOrPercent) {
  const auto plain = parse({"--table", "orders", "--to", "f"});
  EXPECT_FALSE(plain.read_rate.units || plain.read_rate.percent);
  EXPECT_EQ(parse({"--table", "orders", "--to", "f", "--read-units", "0.5"}).read_rate.units, 0.5);
  EXPECT_EQ(parse({"--table", "orders", "--to", "f", "--read-percent", "100"}).read_rate.percent,
            100);
}

TEST(ScanOptions, WrongSettings) {
  for (const WrongSettings& wrong : wrong_settings()) {
    GivenSettings given = wrong.given;
    given.insert(kRightSettings.begin(), kRightSettings.end());
    EXPECT_THAT(refusal(given), HasSubstr(wrong.says.text()));
  }
}

TEST(ScanOptions, WrongDestinations) {
  const std::string folder = std::filesystem::temp_directory_path();
  const GivenSettings table = {{"table", "orders"}};
  const GivenSettings to_file = {{"table", "orders"}, {"to", "f"}};
  struct Case {
    GivenSettings with;
    GivenSettings given;
    std::string says;
  };
  const std::vector<Case> wrong = {
      {{}, {{"stream", "s"}}, "--table is not given"},
      {table, {}, "no destination is given. Give --stream STREAM, --to FILE, or --to - for"},
      {to_file, {{"stream", "s"}}, "--stream and --to are both given"},
      {table, {{"to", ""}}, "--to is \"\": not a file's path"},
      {table, {{"to", "s3://b/k"}}, "--to is \"s3://b/k\": writing to s3:// is not supported"},
      {table, {{"to", folder}}, ": a folder, not a file. Give the path of a file in it."},
      {table, {{"to", "/nowhere/f"}}, ": there is no folder /nowhere. Create it first."},
      {to_file, {{"dead-letters", "d"}}, "--dead-letters needs --stream"},
      {to_file, {{"aggregate", "true"}}, "--aggregate needs --stream"},
      {to_file, {{"numbers", "string"}}, "--numbers and --with-types need --format plain"},
      {to_file, {{"with-types", "true"}}, "--numbers and --with-types need --format plain"},
      {to_file, {{"format", "plane"}}, "Give one of: item, plain."},
      {to_file, {{"stream-profile", "p"}}, "--stream-profile and --stream-role-arn need --stream"},
  };
  for (const Case& one : wrong) {
    GivenSettings given = one.given;
    given.insert(one.with.begin(), one.with.end());
    EXPECT_THAT(refusal(given), HasSubstr(one.says));
  }
}

TEST(ScanOptions, NamedSettingsInTable) {
  using namespace setting;
  for (const SettingId named : {kTable,
                                kIndex,
                                kConsistent,
                                kFilter,
                                kProjection,
                                kNames,
                                kValues,
                                kStream,
                                kTo,
                                kFormat,
                                kPartitionKey,
                                kAggregate,
                                kKinesisWire,
                                kSegments,
                                kShare,
                                kReadUnits,
                                kReadPercent,
                                kCheckpoint,
                                kCheckpointKmsKey,
                                kCheckpointInterval,
                                kRestart,
                                kDeadLetters,
                                kProfile,
                                kRoleArn,
                                kExternalId,
                                kStreamProfile,
                                kStreamRoleArn,
                                kStreamExternalId,
                                kRegion,
                                kEndpointUrl,
                                kInsecureHttp}) {
    EXPECT_EQ(std::ranges::count(scan_entries(), named, &SettingEntry<ScanOptions>::id), 1)
        << named.name;
  }
}

TEST(ScanOptions, EachSettingIsExplained) {
  for (const SettingEntry<ScanOptions>& entry : scan_entries()) {
    EXPECT_FALSE(entry.help.empty() || entry.group.empty() || !entry.parse) << entry.id.name;
    EXPECT_FALSE(entry.help.ends_with('.')) << entry.id.name;
  }
}

}  // namespace
}  // namespace everyitem::options
