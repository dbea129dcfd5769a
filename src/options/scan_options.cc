#include "options/scan_options.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/checkpoint_location.h"
#include "checkpoint/shared_run.h"
#include "options/identity_entries.h"
#include "options/setting_text.h"
#include "source/dynamodb_limits.h"

namespace everyitem::options {

struct ScanOptions {
  run::ScanSettings settings;
  std::string table;
  std::string stream;
};

namespace {

using run::ScanSettings;
using source::ScanParameters;
using Entry = SettingEntry<ScanOptions>;

constexpr std::string_view kSource = "What to read";
constexpr std::string_view kDestination = "Where to put it";
constexpr std::string_view kManner = "How to go about it";

// Those that no message names.
constexpr SettingId kLimit{"limit"};
constexpr SettingId kThreads{"threads"};
constexpr SettingId kNumbers{"numbers"};
constexpr SettingId kWithTypes{"with-types"};
constexpr SettingId kMaxWait{"max-wait"};

constexpr unsigned kMaxThreads = 64;
constexpr std::uint64_t kMaxLimit = 1'000'000'000'000'000;
constexpr double kMaxReadUnits = 1e9;
constexpr std::chrono::hours kMaxCheckpointInterval{1};
constexpr std::chrono::hours kLongestWait{365 * 24};

// What an entry does with its text: keeps it in a member, or what it means.

auto keep(std::string ScanOptions::*member) {
  return [member](ScanOptions& options, SettingId /*id*/, std::string_view text) {
    options.*member = text;
  };
}

auto keep(std::string ScanSettings::*member) {
  return [member](ScanOptions& options, SettingId /*id*/, std::string_view text) {
    options.settings.*member = text;
  };
}

auto keep(std::string ScanParameters::*member) {
  return [member](ScanOptions& options, SettingId /*id*/, std::string_view text) {
    options.settings.scan.*member = text;
  };
}

/// A file has been read by now, where it may be.
auto keep_text(std::string ScanParameters::*member) {
  return [member](ScanOptions& options, SettingId id, std::string_view text) {
    if (text.starts_with("fileb://")) {
      throw usage_error(id + fmt::format(" is \"{}\", but takes text", text), "Give file://PATH.");
    }
    if (text.starts_with("file://")) {
      throw usage_error(id + fmt::format(" is \"{}\"", text),
                        "Only the command line reads files. Give the text itself.");
    }
    options.settings.scan.*member = text;
  };
}

/// An expression, or what its placeholders stand for.
Entry expression_entry(SettingId id, std::string_view value_name, std::string_view help,
                       std::string ScanParameters::*member) {
  Entry entry{id,   SettingClass::how, SettingDoors::all, kSource, value_name,
              help, keep_text(member)};
  entry.takes_file = true;
  return entry;
}

auto turn_on(bool ScanSettings::*member) {
  return [member](ScanOptions& options, SettingId id, std::string_view text) {
    options.settings.*member = parse_switch(id, text);
  };
}

std::vector<Entry> make_entries() {
  constexpr SettingClass kHow = SettingClass::how;
  constexpr SettingClass kWhere = SettingClass::where_and_who;
  constexpr SettingDoors kAll = SettingDoors::all;
  std::vector<Entry> entries = {
      {setting::kTable, kWhere, kAll, kSource, "TABLE", "The table's name or ARN",
       keep(&ScanOptions::table), "TABLE_ARN"},
      {setting::kIndex, kHow, kAll, kSource, "NAME",
       "Read this secondary index instead of the table", keep(&ScanParameters::index)},
      {setting::kConsistent, kHow, kAll, kSource, "",
       "Use strongly consistent reads, which cost twice the read units",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.scan.consistent_read = parse_switch(id, text);
       }},
      expression_entry(setting::kFilter, "EXPR",
                       "Deliver only items that meet this condition (FilterExpression). All items "
                       "are read and paid for",
                       &ScanParameters::filter_expression),
      expression_entry(setting::kProjection, "EXPR",
                       "Deliver only these attributes (ProjectionExpression). The key is read even "
                       "if it is not one of them",
                       &ScanParameters::projection_expression),
      expression_entry(setting::kNames, "JSON",
                       "What the #names in expressions stand for (ExpressionAttributeNames), in "
                       "the AWS CLI's syntax",
                       &ScanParameters::attribute_names),
      expression_entry(setting::kValues, "JSON",
                       "What the :values in expressions stand for (ExpressionAttributeValues)",
                       &ScanParameters::attribute_values),
      {kLimit, kHow, kAll, kSource, "N", "Stop after N items; the next run continues after them",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.limit = parse_count(id, text, 1, kMaxLimit);
       }},

      {setting::kStream, kWhere, kAll, kDestination, "STREAM",
       "A Kinesis data stream's name or ARN. Each item is one record, unless --aggregate is given",
       keep(&ScanOptions::stream), "STREAM_ARN"},
      {setting::kTo, kWhere, SettingDoors::command_line, kDestination, "FILE",
       "A file, or - for standard output. Each item is one line",
       [](ScanOptions& options, SettingId, std::string_view text) {
         options.settings.output = sink::parse_output_location(text);
       }},
      {setting::kFormat, kHow, kAll, kDestination, "item|plain",
       "item: each item's DynamoDB JSON, byte for byte; plain: JSON as people write it, "
       "{\"id\":7,\"tags\":[\"a\"]}. Default: item",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         constexpr std::array<const char*, 2> kNames = {"item", "plain"};
         options.settings.format = kNames.at(parse_choice(id, text, {kNames[0], kNames[1]}));
       }},
      {kNumbers, kHow, kAll, kDestination, "number|string",
       "With --format plain, numbers as they are, with all their digits, or as strings, for "
       "readers that round large ones, as JavaScript does. Default: number",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.plain.numbers_as_strings =
             parse_choice(id, text, {"number", "string"}) == 1;
       }},
      {kWithTypes, kHow, kAll, kDestination, "",
       "With --format plain, add \"$types\": which values were binary or sets, so that the item "
       "can be restored exactly",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.plain.with_types = parse_switch(id, text);
       }},
      {setting::kPartitionKey, kHow, kAll, kDestination, "key|random",
       "key: derived from the item's primary key, so that an item always goes to the same shard; "
       "random: a new one each time. Default: key",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.random_partition_keys = parse_choice(id, text, {"key", "random"}) == 1;
       }},
      {setting::kAggregate, kHow, kAll, kDestination, "",
       "Pack many items into each record, in the Kinesis Producer Library's format. Consumers must "
       "de-aggregate, as those of the Kinesis Client Library do",
       turn_on(&ScanSettings::aggregate)},
      {setting::kKinesisWire, kHow, kAll, kDestination, "auto|cbor|json",
       "Encoding of requests to Kinesis. cbor sends a quarter fewer bytes; auto uses it where the "
       "endpoint understands it. Default: auto",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         using run::KinesisWire;
         constexpr std::array kWires = {KinesisWire::automatic, KinesisWire::cbor,
                                        KinesisWire::json};
         options.settings.kinesis_wire =
             kWires.at(parse_choice(id, text, {"auto", "cbor", "json"}));
       }},

      {setting::kSegments, kHow, kAll, kManner, "N",
       "Read the table in N parallel segments, 1 to 1,000,000. Default: chosen by the table's size "
       "and the number of cores",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.segments =
             static_cast<std::uint32_t>(parse_count(id, text, 1, source::kMaxSegments));
       }},
      {kThreads, kHow, kAll, kManner, "N",
       "Number of threads, 1 to 64, never more than segments. Default: one per core, at most 8; "
       "always 1 with --limit",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.threads = static_cast<unsigned>(parse_count(id, text, 1, kMaxThreads));
       }},
      {setting::kShare, kHow, kAll, kManner, "",
       "Share the run with other processes, on any machines: start as many as you like, whenever "
       "you like, with the same command. Needs --checkpoint dynamodb:TABLE/RUN",
       turn_on(&ScanSettings::share)},
      {setting::kReadUnits, kHow, kAll, kManner, "N",
       "Read at most N read units per second, as DynamoDB reports them, in all segments and "
       "processes together. Default: half of a provisioned capacity; with on-demand capacity no "
       "limit, slower while DynamoDB throttles",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         if (text.ends_with('%')) {
           text.remove_suffix(1);
           throw usage_error(id + fmt::format(" is \"{}%\", but takes read units per second", text),
                             "Give " + setting::kReadPercent(std::string(text)) + ".");
         }
         options.settings.read_rate.units = parse_amount(id, text, kMaxReadUnits);
       }},
      {setting::kReadPercent, kHow, kAll, kManner, "P",
       "Read at most P percent of the capacity that DescribeTable reports: the provisioned one, or "
       "the on-demand maximum",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.read_rate.percent = parse_percent(id, text);
       }},
      {setting::kCheckpoint, kWhere, kAll, kManner, "WHERE",
       "Where progress is kept: sqlite:PATH or a path, a local file; dynamodb:TABLE, items of a "
       "table (dynamodb:TABLE/RUN if runs share it; an ARN if it is in another region or account); "
       "ssm:/PREFIX, parameters; or none. Default: a file per table and destination in "
       "$XDG_STATE_HOME/everyitem or ~/.local/state/everyitem, and none with --to - or a pipe",
       [](ScanOptions& options, SettingId, std::string_view text) {
         options.settings.checkpoint = checkpoint::parse_checkpoint_location(text);
       }},
      {setting::kCheckpointKmsKey, kWhere, kAll, kManner, "KEY",
       "Encrypt ssm:/PREFIX parameters with this KMS key: an id, ARN or alias, or alias/aws/ssm "
       "for the account's own",
       keep(&ScanSettings::checkpoint_kms_key)},
      {setting::kCheckpointInterval, kHow, kAll, kManner, "TIME",
       "Write each ssm:/PREFIX parameter at most this often, up to 1h, and at the end. Default: "
       "10s",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.checkpoint_interval = parse_duration(id, text, kMaxCheckpointInterval);
       }},
      {setting::kRestart, kHow, kAll, kManner, "",
       "Start over, whatever the checkpoint says. Overwrites the file of --to",
       turn_on(&ScanSettings::restart)},
      {setting::kDeadLetters, kWhere, kAll, kManner, "WHERE",
       "Where items go that the stream can never take, each with the reason: a file, one JSON "
       "object "
       "per line, or dynamodb:TABLE/RUN, items of a table that hold the keys alone. Default: the "
       "checkpoint's table, or a file next to the checkpoint",
       [](ScanOptions& options, SettingId, std::string_view text) {
         options.settings.dead_letters = run::parse_dead_letters_location(text);
       }},
      {kMaxWait, kHow, kAll, kManner, "TIME",
       "Stop retrying a request after this long (30s, 10m, 1h30m). Default: retry throttled "
       "requests "
       "forever, failed ones for 2m",
       [](ScanOptions& options, SettingId id, std::string_view text) {
         options.settings.max_wait = parse_duration(id, text, kLongestWait);
       }},
  };
  for (Entry& entry :
       identity_entries<ScanOptions>([](ScanOptions& options) -> identity::IdentityFlags& {
         return options.settings.identity;
       })) {
    entries.push_back(std::move(entry));
  }
  entries.push_back({setting::kStreamProfile, kWhere, SettingDoors::command_line, kIdentityGroup,
                     "NAME", "Write to the stream with this profile's credentials",
                     keep(&ScanSettings::stream_profile)});
  entries.push_back({setting::kStreamRoleArn, kWhere, kAll, kIdentityGroup, "ARN",
                     "Assume this role to write to the stream, which may be in another account. "
                     "--role-arn is then used for reading only",
                     [](ScanOptions& options, SettingId id, std::string_view text) {
                       options.settings.stream_role_arn = parse_role(id, text);
                     }});
  entries.push_back({setting::kStreamExternalId, kWhere, kAll, kIdentityGroup, "ID",
                     "The external ID that the stream's role requires",
                     keep(&ScanSettings::stream_external_id)});
  return entries;
}

// What the settings are to each other.

void check_read_rate(const pace::ReadRate& rate) {
  if (rate.units && rate.percent) {
    throw usage_error(enumerated({setting::kReadUnits, setting::kReadPercent}) + " are both given",
                      "Give one of them.");
  }
}

void check_destination(const ScanOptions& options) {
  const Message destinations = "Give " + setting::kStream("STREAM") + ", " + setting::kTo("FILE") +
                               ", or " + setting::kTo("-") + " for standard output.";
  if (options.stream.empty() && !options.settings.output) {
    throw usage_error("no destination is given", destinations);
  }
  if (!options.stream.empty() && options.settings.output) {
    throw usage_error(enumerated({setting::kStream, setting::kTo}) + " are both given",
                      destinations);
  }
}

void check_format(const ScanSettings& settings) {
  if (settings.format != "plain" && settings.plain != batch::PlainJsonOptions()) {
    throw usage_error(enumerated({kNumbers, kWithTypes}) + " need " + setting::kFormat("plain"),
                      "The format item has every type as it is.");
  }
}

/// Of settings that mean something for a stream alone.
void require_stream(const ScanSettings& settings) {
  if (settings.stream) {
    return;
  }
  if (settings.dead_letters) {
    throw usage_error(setting::kDeadLetters + " needs " + setting::kStream +
                      ": a file takes every item");
  }
  if (!settings.stream_profile.empty() || !settings.stream_role_arn.empty()) {
    throw usage_error(enumerated({setting::kStreamProfile, setting::kStreamRoleArn}) + " need " +
                          setting::kStream,
                      "Give " + setting::kProfile + " or " + setting::kRoleArn + " for the table.");
  }
  if (settings.aggregate) {
    throw usage_error(setting::kAggregate + " needs " + setting::kStream +
                      ": a file has one line per item");
  }
}

/// With nothing given, it is a file that is named once the table is known.
void check_checkpoint(const ScanSettings& settings) {
  const bool in_ssm =
      settings.checkpoint && std::holds_alternative<checkpoint::SsmLocation>(*settings.checkpoint);
  if (!settings.checkpoint_kms_key.empty() && !in_ssm) {
    throw usage_error(setting::kCheckpointKmsKey + " needs " + setting::kCheckpoint("ssm:/PREFIX"),
                      "Other checkpoints are encrypted as their disk or table is.");
  }
  if (settings.checkpoint_interval && !in_ssm) {
    throw usage_error(
        setting::kCheckpointInterval + " needs " + setting::kCheckpoint("ssm:/PREFIX"),
        "Other checkpoints are written after each page.");
  }
}

/// As far as their names say: sink::require_no_database knows it by the content.
void check_files(const ScanSettings& settings) {
  const auto* const output =
      settings.output ? std::get_if<sink::OutputFile>(&*settings.output) : nullptr;
  const auto* const state = settings.checkpoint
                                ? std::get_if<checkpoint::SqliteLocation>(&*settings.checkpoint)
                                : nullptr;
  const auto whole = [](const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal();
  };
  if (output != nullptr && state != nullptr && whole(output->path) == whole(state->path)) {
    throw usage_error(
        enumerated({setting::kTo, setting::kCheckpoint}) + " name the same file " + output->path,
        "Give each a file of its own.");
  }
}

/// Whatever starts processes starts one again that it has lost: that one must not begin the run
/// again.
void check_share(const ScanSettings& settings) {
  if (!settings.share) {
    return;
  }
  checkpoint::require_shareable(settings.checkpoint.value_or(checkpoint::NoCheckpoint{}));
  const Message another_run =
      "Begin a new run under another name: " + setting::kCheckpoint("dynamodb:TABLE/RUN") + ".";
  if (settings.restart) {
    throw usage_error(enumerated({setting::kRestart, setting::kShare}) + " are both given",
                      another_run);
  }
  if (settings.limit) {
    throw usage_error(enumerated({kLimit, setting::kShare}) + " are both given",
                      "Try a few items without " + setting::kShare + " first.");
  }
  if (settings.output) {
    throw usage_error(setting::kTo + " names a file, which only one process can write",
                      "Leave out " + setting::kShare + ".");
  }
  if (settings.dead_letters &&
      std::holds_alternative<run::DeadLettersInFile>(*settings.dead_letters)) {
    throw usage_error(setting::kDeadLetters + " names a file, which only one process can write",
                      "Leave it out, or give " + setting::kDeadLetters("dynamodb:TABLE") + ".");
  }
}

}  // namespace

std::span<const Entry> scan_entries() {
  static const std::vector<Entry> entries = make_entries();
  return entries;
}

run::ScanSettings scan_settings(const GivenSettings& given) {
  ScanOptions options;
  parse_given(scan_entries(), given, options);
  if (options.table.empty()) {
    throw usage_error(setting::kTable + " is not given", "Give the name or ARN of the table.");
  }
  options.settings.table = aws::parse_table(options.table, setting::kTable);
  check_destination(options);
  if (!options.stream.empty()) {
    options.settings.stream = aws::parse_stream(options.stream, setting::kStream);
  }
  check_format(options.settings);
  check_checkpoint(options.settings);
  check_files(options.settings);
  check_share(options.settings);
  if (!options.settings.stream_external_id.empty() && options.settings.stream_role_arn.empty()) {
    throw usage_error(setting::kStreamExternalId + " needs " + setting::kStreamRoleArn);
  }
  require_stream(options.settings);
  check_read_rate(options.settings.read_rate);
  source::validate(options.settings.scan);
  return std::move(options.settings);
}

}  // namespace everyitem::options
