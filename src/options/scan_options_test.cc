#include "options/scan_options.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"

namespace everyitem::options {
namespace {

pipeline::ScanSettings parse(std::vector<std::string> arguments) {
  CLI::App program;
  ScanOptions options;
  add_scan_command(program, options);
  arguments.insert(arguments.begin(), "scan");
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes a vector
  program.parse(arguments);
  return scan_settings(options);
}

TEST(ScanOptions, ATableIntoAStream) {
  const auto settings = parse({"--table", "orders", "--stream", "backfill"});
  EXPECT_EQ(settings.table.name, "orders");
  EXPECT_EQ(settings.stream->name, "backfill");
  EXPECT_FALSE(settings.segments);
  EXPECT_FALSE(settings.threads);
  EXPECT_FALSE(settings.limit);
  EXPECT_FALSE(settings.random_partition_keys);
  EXPECT_EQ(settings.kinesis_wire, pipeline::KinesisWire::automatic);
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
  EXPECT_EQ(settings.file, "-");
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
  EXPECT_EQ(settings.checkpoint, "none");
  EXPECT_TRUE(settings.restart);
  EXPECT_EQ(settings.identity.profile, "p");
  EXPECT_EQ(settings.identity.region, "eu-west-1");
  EXPECT_EQ(settings.identity.endpoint_url, "http://127.0.0.1:8000");
}

TEST(ScanOptions, TheWireToKinesisCanBeChosen) {
  const auto wire = [](const std::string& text) {
    return parse({"--table", "orders", "--stream", "s", "--kinesis-wire", text}).kinesis_wire;
  };
  EXPECT_EQ(wire("auto"), pipeline::KinesisWire::automatic);
  EXPECT_EQ(wire("cbor"), pipeline::KinesisWire::cbor);
  EXPECT_EQ(wire("json"), pipeline::KinesisWire::json);
}

TEST(ScanOptions, TimesHaveUnits) {
  const auto max_wait = [](const std::string& text) {
    return parse({"--table", "orders", "--stream", "s", "--max-wait", text}).max_wait;
  };
  EXPECT_EQ(max_wait("45"), std::chrono::seconds(45));
  EXPECT_EQ(max_wait("30s"), std::chrono::seconds(30));
  EXPECT_EQ(max_wait("10m"), std::chrono::minutes(10));
  EXPECT_EQ(max_wait("6h"), std::chrono::hours(6));
  EXPECT_EQ(max_wait("2d"), std::chrono::hours(48));
  EXPECT_FALSE(parse({"--table", "orders", "--stream", "s"}).max_wait);
}

TEST(ScanOptions, HowOftenParametersAreWritten) {
  const std::vector<std::string> in_ssm = {"--table", "orders",       "--stream",
                                           "s",       "--checkpoint", "ssm:/orders"};
  EXPECT_FALSE(parse(in_ssm).checkpoint_interval);
  std::vector<std::string> rarely = in_ssm;
  rarely.insert(rarely.end(), {"--checkpoint-interval", "2m"});
  EXPECT_EQ(parse(rarely).checkpoint_interval, std::chrono::minutes(2));
}

TEST(ScanOptions, WhatCannotBeIsRefused) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--stream", "s"},
      {"--table", "orders", "--stream", "s", "--segments", "0"},
      {"--table", "orders", "--stream", "s", "--segments", "1000001"},
      {"--table", "orders", "--stream", "s", "--segments", "-1"},
      {"--table", "orders", "--stream", "s", "--segments", "many"},
      {"--table", "orders", "--stream", "s", "--threads", "0"},
      {"--table", "orders", "--stream", "s", "--threads", "65"},
      {"--table", "orders", "--stream", "s", "--limit", "0"},
      {"--table", "orders", "--stream", "s", "--partition-key", "hash"},
      {"--table", "orders", "--stream", "s", "--kinesis-wire", "xml"},
      {"--table", "orders", "--stream", "s", "--checkpoint-interval", "2h"},
      {"--table", "orders", "--stream", "s", "--max-wait", "0"},
      {"--table", "orders", "--stream", "s", "--max-wait", "soon"},
      {"--table", "orders", "--stream", "s", "--max-wait", "400d"},
      {"--table", "orders", "--stream", "s", "--read-units", "many"},
      {"--table", "orders", "--stream", "s", "--read-percent", "10%"},
      {"--table", "orders", "--stream", "s", "--surprise"},
      {"--table", "orders", "--stream", "s", "surplus"},
  };
  for (const auto& arguments : wrong) {
    EXPECT_THROW(parse(arguments), CLI::ParseError) << arguments.back();
  }
}

TEST(ScanOptions, AReadBudgetInUnitsOrAsAShare) {
  const auto plain = parse({"--table", "orders", "--to", "f"});
  EXPECT_FALSE(plain.read_rate.units || plain.read_rate.percent);
  EXPECT_EQ(parse({"--table", "orders", "--to", "f", "--read-units", "0.5"}).read_rate.units,
            0.5);
  EXPECT_EQ(parse({"--table", "orders", "--to", "f", "--read-percent", "100"}).read_rate.percent,
            100);
}

TEST(ScanOptions, WhatIsWellFormedButWrongIsAUsageErrorThatNamesTheOption) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
      {"--stream", {"--table", "orders"}},
      {"--stream and --to", {"--table", "orders", "--stream", "s", "--to", "f"}},
      {"--table", {"--table", "no table!", "--stream", "s"}},
      {"--table", {"--table", "arn:aws:s3:::bucket", "--stream", "s"}},
      {"--stream", {"--table", "orders", "--stream", "arn:aws:dynamodb:eu-west-1:1:table/orders"}},
      {"--dead-letters", {"--table", "orders", "--to", "f", "--dead-letters", "d"}},
      {"--names", {"--table", "orders", "--stream", "s", "--names", "{"}},
      {"--read-units", {"--table", "orders", "--to", "f", "--read-units", "0"}},
      {"--read-units", {"--table", "orders", "--to", "f", "--read-units", "-5"}},
      {"--read-units", {"--table", "orders", "--to", "f", "--read-units", "nan"}},
      {"--read-units", {"--table", "orders", "--to", "f", "--read-units", "inf"}},
      {"--read-percent", {"--table", "orders", "--to", "f", "--read-percent", "0"}},
      {"--read-percent", {"--table", "orders", "--to", "f", "--read-percent", "101"}},
      {"--read-units and --read-percent",
       {"--table", "orders", "--to", "f", "--read-units", "5", "--read-percent", "5"}},
      {"--values", {"--table", "orders", "--stream", "s", "--values", "[]"}},
  };
  for (const auto& [option, arguments] : wrong) {
    try {
      parse(arguments);
      FAIL() << option;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(error.what()).find(option), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace everyitem::options
