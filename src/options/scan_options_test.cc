#include "options/scan_options.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

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
std::string refusal(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "not refused";
}

TEST(ScanOptions, ATableIntoAStream) {
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

TEST(ScanOptions, OneOfSeveralWorkers) {
  EXPECT_TRUE(parse({"--table", "orders", "--stream", "s"}).part.alone());
  const auto settings = parse({"--table", "orders", "--stream", "s", "--workers", "4", "--worker",
                               "3", "--checkpoint", "dynamodb:checkpoints"});
  EXPECT_EQ(settings.part, (source::WorkerPart{.worker = 3, .workers = 4}));
  EXPECT_EQ(settings.part.count_of(10), 2U);
  EXPECT_EQ((source::WorkerPart{.worker = 1, .workers = 4}.count_of(10)), 3U);
}

TEST(ScanOptions, EverythingThatCanBeGiven) {
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

TEST(ScanOptions, HowOftenParametersAreWritten) {
  const std::vector<std::string> in_ssm = {"--table", "orders",       "--stream",
                                           "s",       "--checkpoint", "ssm:/orders"};
  EXPECT_FALSE(parse(in_ssm).checkpoint_interval);
  std::vector<std::string> rarely = in_ssm;
  rarely.insert(rarely.end(), {"--checkpoint-interval", "2m"});
  EXPECT_EQ(parse(rarely).checkpoint_interval, std::chrono::minutes(2));
}

TEST(ScanOptions, ReadRateUnitsOrShare) {
  const auto plain = parse({"--table", "orders", "--to", "f"});
  EXPECT_FALSE(plain.read_rate.units || plain.read_rate.percent);
  EXPECT_EQ(parse({"--table", "orders", "--to", "f", "--read-units", "0.5"}).read_rate.units, 0.5);
  EXPECT_EQ(parse({"--table", "orders", "--to", "f", "--read-percent", "100"}).read_rate.percent,
            100);
}

TEST(ScanOptions, WrongSettingsRefusedBeforeCalls) {
  const std::string folder = std::filesystem::temp_directory_path();
  const std::vector<std::string> to_stream = {"--table", "orders", "--stream", "s"};
  const std::vector<std::string> to_file = {"--table", "orders", "--to", "f"};
  struct Case {
    std::vector<std::string> with;
    std::vector<std::string> arguments;
    std::string says;
  };
  const std::vector<Case> wrong = {
      {{}, {"--stream", "s"}, "--table is not given"},
      {{}, {"--table", "orders"}, "no destination is given. Give --stream STREAM"},
      {to_stream, {"--to", "f"}, "--stream and --to are both given"},
      {{}, {"--table", "no table!", "--stream", "s"}, "--table is \"no table!\""},
      {{}, {"--table", "arn:aws:s3:::bucket", "--stream", "s"}, "--table is"},
      {{},
       {"--table", "orders", "--stream", "arn:aws:dynamodb:eu-west-1:1:table/orders"},
       "--stream is"},
      {{}, {"--table", "orders", "--to", "s3://b/k"}, "s3:// is not supported"},
      {{}, {"--table", "orders", "--to", folder}, "a folder"},
      {{}, {"--table", "orders", "--to", "/nowhere/f"}, "no folder /nowhere"},
      {to_file, {"--dead-letters", "d"}, "--dead-letters needs --stream"},
      {to_file, {"--aggregate"}, "--aggregate needs --stream"},
      {to_file, {"--stream-profile", "p"}, "--stream-profile and --stream-role-arn"},
      {to_stream, {"--checkpoint", "redis:x"}, "--checkpoint is \"redis:x\""},
      {to_stream, {"--checkpoint", "ssm:x"}, "--checkpoint is \"ssm:x\""},
      {to_stream, {"--checkpoint", "dynamodb:"}, "--checkpoint is"},
      {to_stream, {"--checkpoint-kms-key", "k"}, "--checkpoint-kms-key needs"},
      {to_stream, {"--checkpoint-interval", "10s"}, "--checkpoint-interval needs"},
      {to_stream,
       {"--checkpoint", "ssm:/x", "--checkpoint-interval", "2h"},
       "--checkpoint-interval is \"2h\""},
      {to_stream, {"--workers", "2"}, "--worker is not given"},
      {to_stream, {"--worker", "1"}, "--workers is not given"},
      {to_stream, {"--workers", "2", "--worker", "2"}, "--worker is 2"},
      {to_stream, {"--workers", "2", "--worker", "1"}, "--workers needs a checkpoint"},
      {to_stream,
       {"--workers", "2", "--worker", "1", "--checkpoint", "ssm:/x"},
       "--workers needs a checkpoint"},
      {to_stream, {"--segments", "0"}, "--segments is \"0\""},
      {to_stream, {"--segments", "1000001"}, "from 1 to 1,000,000"},
      {to_stream, {"--segments", "-1"}, "--segments"},
      {to_stream, {"--segments", "many"}, "--segments"},
      {to_stream, {"--threads", "0"}, "--threads"},
      {to_stream, {"--threads", "65"}, "--threads"},
      {to_stream, {"--limit", "0"}, "--limit"},
      {to_stream, {"--partition-key", "hash"}, "key, random"},
      {to_stream, {"--kinesis-wire", "xml"}, "auto, cbor, json"},
      {to_stream, {"--max-wait", "0"}, "--max-wait"},
      {to_stream, {"--max-wait", "400d"}, "--max-wait"},
      {to_file, {"--read-units", "0"}, "--read-units is \"0\""},
      {to_file, {"--read-units", "nan"}, "--read-units"},
      {to_file, {"--read-percent", "101"}, "--read-percent"},
      {to_file, {"--read-units", "10%"}, "takes read units per second. Give --read-percent 10."},
      {to_file,
       {"--read-units", "5", "--read-percent", "5"},
       "--read-units and --read-percent are both given"},
      {to_stream, {"--names", "{"}, "--names is not the JSON object"},
      {to_stream, {"--values", "[]"}, "--values is not the JSON object"},
      {to_stream, {"--filter", "a = :a", "--values", R"({":a":{"X":"b"}})"}, "--values is not"},
      {to_stream, {"--names", R"({"#a":"b"})"}, "--names defines #a, which no expression uses"},
      {to_stream,
       {"--filter", "#s = :s", "--names", R"({"#s":"x"})"},
       "--values does not define :s"},
      {to_stream, {"--projection", "#p"}, "--names does not define #p"},
      {to_stream,
       {"--filter", "a = :a", "--values", R"({":a":{"S":"x"},":b":{"S":"x"}})"},
       "--values defines :b"},
  };
  for (const Case& one : wrong) {
    std::vector<std::string> arguments = one.with;
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    EXPECT_THAT(refusal(arguments), HasSubstr(one.says));
  }
}

TEST(ScanOptions, NamedSettingsAreInTable) {
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
                                kPartitionKey,
                                kAggregate,
                                kKinesisWire,
                                kSegments,
                                kWorkers,
                                kWorker,
                                kReadUnits,
                                kReadPercent,
                                kCheckpoint,
                                kCheckpointKmsKey,
                                kCheckpointInterval,
                                kRestart,
                                kDeadLetters,
                                kProfile,
                                kRoleArn,
                                kStreamProfile,
                                kStreamRoleArn,
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
