#include "options/scan_options.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/fleet_store.h"
#include "options/identity_options.h"
#include "pipeline/fleet.h"
#include "source/dynamodb_limits.h"

namespace everyitem::options {

namespace {

constexpr const char* kFooter = R"(
Examples:
  everyitem scan --table orders --stream orders-backfill
  everyitem scan --table orders --to orders.ndjson --read-percent 25
  everyitem scan --table orders --to - | jq -r .id.S
  everyitem scan --table orders --stream s --filter '#s = :open' \
      --names '{"#s": "status"}' --values '{":open": {"S": "open"}}'

Each item arrives at least once, as the DynamoDB JSON that Scan returned, byte for byte. Run the
same command again to go on after any stop; a finished run does nothing.

Exit codes:
  0    all items were delivered (or as many as --limit says, or the reader of a pipe has gone)
  1    something failed; what was delivered is in the checkpoint
  2    the command or its settings are wrong; nothing was started
  3    all was done, but for items that the stream can never take: they are in
       the dead letters
  130  stopped by a signal; what was read has been delivered, the same command goes on

Permissions: dynamodb:DescribeTable, dynamodb:Scan, kinesis:DescribeStreamSummary,
kinesis:PutRecords, kinesis:ListShards. For a checkpoint in a table dynamodb:GetItem,
PutItem, Query and BatchWriteItem on it; in parameters ssm:GetParameter,
GetParametersByPath, PutParameter and DeleteParameters on them.
)";

/// 30s, 10m, 6h, 2d, or seconds alone.
CLI::Validator as_seconds() {
  return CLI::AsNumberWithUnit(
             std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}},
             CLI::AsNumberWithUnit::DEFAULT)
      .description("");
}

}  // namespace

CLI::App* add_scan_command(CLI::App& program, ScanOptions& options) {
  CLI::App* scan = program.add_subcommand(
      "scan", "Read every item of a table and put it into a stream or a file");
  pipeline::ScanSettings& settings = options.settings;

  // CLI11 does not break lines: the texts are cut to fit behind its 30 columns of names.
  const std::string source = "What to read";
  scan->add_option("--table", options.table, "The table's name or ARN")
      ->type_name("TABLE")
      ->group(source)
      ->required();
  scan->add_option("--index", settings.scan.index, "Read this secondary index instead of the table")
      ->type_name("NAME")
      ->group(source);
  scan->add_flag("--consistent", settings.scan.consistent_read,
                 "Strongly consistent reads: twice the read units")
      ->group(source);
  scan->add_option("--filter", settings.scan.filter_expression,
                   "Only items that meet this condition (FilterExpression);\n"
                   "all are read and paid for")
      ->type_name("EXPR")
      ->group(source);
  scan->add_option("--projection", settings.scan.projection_expression,
                   "Only these attributes (ProjectionExpression)")
      ->type_name("EXPR")
      ->group(source);
  scan->add_option("--names", settings.scan.attribute_names,
                   "What #names stand for (ExpressionAttributeNames),\n"
                   "as the AWS CLI takes them")
      ->type_name("JSON")
      ->group(source);
  scan->add_option("--values", settings.scan.attribute_values,
                   "What :values stand for (ExpressionAttributeValues), likewise")
      ->type_name("JSON")
      ->group(source);
  scan->add_option("--limit", options.limit, "Stop after N items; the next run goes on behind them")
      ->type_name("N")
      ->group(source)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62).description(""));

  const std::string destination = "Where to put it";
  scan->add_option("--stream", options.stream,
                   "A Kinesis data stream's name or ARN: one record an item,\n"
                   "or many with --aggregate")
      ->type_name("STREAM")
      ->group(destination);
  scan->add_option("--to", settings.file, "A file, or - for standard output: one line an item")
      ->type_name("FILE")
      ->group(destination);
  scan->add_option("--partition-key", options.partition_key,
                   "key (the default): from the item's primary key, so that an\n"
                   "item stays on its shard; random: a new one each time")
      ->type_name("key|random")
      ->group(destination)
      ->check(CLI::IsMember({"key", "random"}).description(""));

  scan->add_flag("--aggregate", settings.aggregate,
                 "Many items a record, as the Kinesis Producer Library packs\n"
                 "them: consumers must de-aggregate (those of the Kinesis\n"
                 "Client Library do)")
      ->group(destination);

  scan->add_option("--kinesis-wire", options.kinesis_wire,
                   "How requests to Kinesis are written: cbor, a quarter fewer\n"
                   "bytes; json; auto (the default): cbor where the endpoint\n"
                   "understands it")
      ->type_name("auto|cbor|json")
      ->group(destination)
      ->check(CLI::IsMember({"auto", "cbor", "json"}).description(""));

  const std::string manner = "How to go about it";
  scan->add_option("--segments", options.segments,
                   "Read the table in N parallel segments, 1 to 1,000,000;\n"
                   "default: by the table's size and this machine")
      ->type_name("N")
      ->group(manner)
      ->check(CLI::Range(std::uint32_t{1}, source::kMaxSegments).description(""));
  scan->add_option("--threads", settings.threads,
                   "Use so many threads, 1 to 64, for as many segments or more;\n"
                   "default: one a core, at most 8; with --limit it is one")
      ->type_name("N")
      ->group(manner)
      ->check(CLI::Range(1U, 64U).description(""));
  scan->add_option("--workers", options.workers,
                   "N processes, on as many machines as you like, share the\n"
                   "run: each is started with the same command but for its\n"
                   "--worker, and a --checkpoint dynamodb:TABLE/RUN")
      ->type_name("N")
      ->group(manner)
      ->check(CLI::Range(1U, pipeline::kMostWorkers).description(""));
  scan->add_option("--worker", options.worker,
                   "Which of them this is, from 0; it reads every N-th segment")
      ->type_name("I")
      ->group(manner)
      ->check(CLI::Range(0U, pipeline::kMostWorkers - 1).description(""));
  scan->add_option("--read-units", options.read_units,
                   "Read at most N read units a second, all segments and all\n"
                   "workers together, as DynamoDB reports them. Default: as\n"
                   "fast as the table allows, slower while it throttles")
      ->type_name("N")
      ->group(manner);
  scan->add_option("--read-percent", options.read_percent,
                   "Read at most P percent of what DescribeTable says the table\n"
                   "allows: provisioned, or its on-demand maximum")
      ->type_name("P")
      ->group(manner);
  scan->add_option("--checkpoint", settings.checkpoint,
                   "Where progress is kept: sqlite:PATH or a path, a local\n"
                   "file; dynamodb:TABLE, items of a table (dynamodb:TABLE/RUN\n"
                   "where runs share one; an ARN for another region or\n"
                   "account); ssm:/PREFIX, parameters; or none. Default: a\n"
                   "file for each table and destination in\n"
                   "$XDG_STATE_HOME/everyitem or ~/.local/state/everyitem, and\n"
                   "none for --to -")
      ->type_name("WHERE")
      ->group(manner);
  scan->add_option("--checkpoint-kms-key", settings.checkpoint_kms_key,
                   "The parameters of ssm:/PREFIX are SecureString under this\n"
                   "KMS key: an id, an ARN or an alias, alias/aws/ssm for the\n"
                   "account's own")
      ->type_name("KEY")
      ->group(manner);
  scan->add_option("--checkpoint-interval", options.checkpoint_interval_seconds,
                   "The parameters of ssm:/PREFIX are each written no more often\n"
                   "than this, up to 1h, and at the end. Default: 10s")
      ->type_name("TIME")
      ->group(manner)
      ->transform(as_seconds())
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{3600}).description(""));
  scan->add_flag("--restart", settings.restart,
                 "Begin anew, whatever the checkpoint says; overwrites the\n"
                 "file of --to")
      ->group(manner);
  scan->add_option("--dead-letters", settings.dead_letters,
                   "Where items go that the stream can never take, with the\n"
                   "reason, one JSON object a line. Default: beside the\n"
                   "checkpoint")
      ->type_name("FILE")
      ->group(manner);
  scan->add_option("--max-wait", options.max_wait_seconds,
                   "Give a request up that was refused as too fast, or failed,\n"
                   "for so long: 30s, 10m, 6h. Default: no bound for the first,\n"
                   "2m for the second")
      ->type_name("TIME")
      ->group(manner)
      ->transform(as_seconds())
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{365} * 86400).description(""));
  scan->add_flag("-q,--quiet", options.quiet, "No progress and no notices, only a line at the end")
      ->group(manner);

  const std::string identity = "Who and where";
  add_identity_options(*scan, settings.identity, identity);
  scan->add_option("--stream-profile", settings.stream_profile,
                   "Write to the stream with the credentials of this profile")
      ->type_name("NAME")
      ->group(identity);
  scan->add_option("--stream-role-arn", settings.stream_role_arn,
                   "Write to the stream in this role, which may be another\n"
                   "account's; --role-arn then only reads")
      ->type_name("ARN")
      ->group(identity);
  scan->footer(kFooter);
  return scan;
}

namespace {

/// Throws a usage error where the flag is given and not above 0, or above `most`.
void require_within(SettingId flag, const std::optional<double>& value, double most, Message hint) {
  if (value && !(*value > 0 && *value <= most)) {
    throw usage_error(
        flag + fmt::format(" is {:.10g}; it must be above 0 and at most {:.10g}", *value, most),
        std::move(hint));
  }
}

pace::ReadRate read_rate(const ScanOptions& options) {
  if (options.read_units && options.read_percent) {
    throw usage_error(enumerated({setting::kReadUnits, setting::kReadPercent}) + " are both given",
                      "Give one of them.");
  }
  constexpr double kMostUnits = 1e9;
  require_within(setting::kReadUnits, options.read_units, kMostUnits,
                 "Give read units a second, or leave it out to read as fast as the table allows.");
  require_within(
      setting::kReadPercent, options.read_percent, 100,
      "Give a percentage of what the table allows, or " + setting::kReadUnits("N") + ".");
  return {.units = options.read_units, .percent = options.read_percent};
}

source::WorkerPart worker_part(const ScanOptions& options) {
  const std::uint32_t workers = options.workers.value_or(1);
  if (options.workers.has_value() != options.worker.has_value()) {
    throw usage_error((options.workers ? setting::kWorker : setting::kWorkers) + " is not given",
                      "Give each of N workers " + setting::kWorkers("N") + " and its own " +
                          setting::kWorker + ", from 0 to N-1.");
  }
  if (options.worker.value_or(0) >= workers) {
    throw usage_error(setting::kWorker + fmt::format(" is {}, but of {} workers the last is {}",
                                                     *options.worker, workers, workers - 1),
                      "They are counted from 0.");
  }
  if (workers > 1) {
    // Without a location, the default is a file of this machine.
    checkpoint::require_shareable(
        options.settings.checkpoint.empty()
            ? checkpoint::NoCheckpoint{}
            : checkpoint::parse_checkpoint_location(options.settings.checkpoint));
  }
  return {.worker = options.worker.value_or(0), .workers = workers};
}

}  // namespace

pipeline::ScanSettings scan_settings(const ScanOptions& options) {
  pipeline::ScanSettings settings = options.settings;
  settings.table = aws::parse_table(options.table, setting::kTable);
  const Message destinations = "Give " + setting::kStream("STREAM") + ", " + setting::kTo("FILE") +
                               ", or " + setting::kTo("-") + " for standard output.";
  if (options.stream.empty() && settings.file.empty()) {
    throw usage_error("there is no destination", destinations);
  }
  if (!options.stream.empty() && !settings.file.empty()) {
    throw usage_error(enumerated({setting::kStream, setting::kTo}) + " are both given",
                      destinations);
  }
  if (!options.stream.empty()) {
    settings.stream = aws::parse_stream(options.stream, setting::kStream);
  }
  if (options.segments > 0) {
    settings.segments = options.segments;
  }
  settings.part = worker_part(options);
  if (options.limit > 0) {
    settings.limit = options.limit;
  }
  if (!settings.dead_letters.empty() && !settings.stream) {
    throw usage_error(setting::kDeadLetters + " goes with " + setting::kStream +
                      ": a file takes every item");
  }
  if (!settings.stream && !(settings.stream_profile.empty() && settings.stream_role_arn.empty())) {
    throw usage_error(enumerated({setting::kStreamProfile, setting::kStreamRoleArn}) + " go with " +
                          setting::kStream,
                      "Give " + setting::kProfile + " or " + setting::kRoleArn + " for the table.");
  }
  if (settings.aggregate && !settings.stream) {
    throw usage_error(setting::kAggregate + " goes with " + setting::kStream +
                      ": a file has one line per item");
  }
  if (!settings.checkpoint_kms_key.empty() && !settings.checkpoint.starts_with("ssm:")) {
    throw usage_error(
        setting::kCheckpointKmsKey + " goes with " + setting::kCheckpoint("ssm:/PREFIX"),
        "Other checkpoints are encrypted as their disk or table is.");
  }
  if (options.checkpoint_interval_seconds > 0) {
    if (!settings.checkpoint.starts_with("ssm:")) {
      throw usage_error(
          setting::kCheckpointInterval + " goes with " + setting::kCheckpoint("ssm:/PREFIX"),
          "Other checkpoints are written with each page.");
    }
    settings.checkpoint_interval = std::chrono::seconds(options.checkpoint_interval_seconds);
  }
  if (options.max_wait_seconds > 0) {
    settings.max_wait = std::chrono::seconds(options.max_wait_seconds);
  }
  settings.read_rate = read_rate(options);
  settings.random_partition_keys = options.partition_key == "random";
  if (options.kinesis_wire != "auto") {
    settings.kinesis_wire =
        options.kinesis_wire == "cbor" ? pipeline::KinesisWire::cbor : pipeline::KinesisWire::json;
  }
  source::validate(settings.scan);
  return settings;
}

}  // namespace everyitem::options
