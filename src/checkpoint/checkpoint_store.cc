#include "checkpoint/checkpoint_store.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dynamodb_fleet_store.h"
#include "checkpoint/dynamodb_items.h"
#include "checkpoint/dynamodb_store.h"
#include "checkpoint/fleet_store.h"
#include "checkpoint/null_store.h"
#include "checkpoint/sqlite_store.h"
#include "checkpoint/ssm_store.h"
#include "checkpoint/stable_hash.h"

namespace everyitem::checkpoint {

namespace {

constexpr std::string_view kDynamoDb = "dynamodb:";

std::string shown(std::string_view value) {
  return value.empty() ? "none" : fmt::format("\"{}\"", value);
}

std::string_view value_of(const RunIdentity& identity, std::string_view name) {
  const auto part = std::ranges::find(identity, name, &IdentityPart::name);
  return part == identity.end() ? std::string_view() : part->value;
}

/// Letters, digits and what else is harmless in a file's name, 60 characters at most.
std::string file_name_part(std::string_view text) {
  std::string part(text.substr(0, 60));
  std::ranges::replace_if(
      part,
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; },
      '_');
  return part;
}

std::uint64_t sum_of(const std::vector<SegmentProgress>& segments,
                     std::uint64_t SegmentProgress::*number) {
  return std::accumulate(segments.begin(), segments.end(), std::uint64_t{0},
                         [number](std::uint64_t sum, const SegmentProgress& segment) {
                           return sum + segment.*number;
                         });
}

}  // namespace

std::vector<SegmentProgress> fresh_segments(std::uint32_t count, source::WorkerPart part) {
  std::vector<SegmentProgress> segments(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    segments[i].segment = i;
    segments[i].position.complete = !part.has(i);
  }
  return segments;
}

bool RunState::complete() const {
  return std::ranges::all_of(
      segments, [](const SegmentProgress& segment) { return segment.position.complete; });
}

std::uint64_t RunState::items() const { return sum_of(segments, &SegmentProgress::items); }

std::uint64_t RunState::bytes() const { return sum_of(segments, &SegmentProgress::bytes); }

std::uint64_t RunState::dead_letters() const {
  return sum_of(segments, &SegmentProgress::dead_letters);
}

std::vector<std::string> differences(const RunIdentity& stored, const RunIdentity& wanted) {
  std::vector<std::string> lines;
  for (const IdentityPart& part : wanted) {
    if (const std::string_view before = value_of(stored, part.name); before != part.value) {
      lines.push_back(
          fmt::format("{}: was {}, is now {}", part.name, shown(before), shown(part.value)));
    }
  }
  return lines;
}

std::unique_ptr<CheckpointStore> open_checkpoint_store(const std::string& location,
                                                       const StoreContext& context) {
  constexpr std::string_view kSqlite = "sqlite:";
  constexpr std::string_view kSsm = "ssm:";
  if (location == "none") {
    return std::make_unique<NullStore>();
  }
  if (location.starts_with(kSqlite)) {
    return std::make_unique<SqliteStore>(location.substr(kSqlite.size()));
  }
  if (location.starts_with(kDynamoDb)) {
    return std::make_unique<DynamoDbStore>(location.substr(kDynamoDb.size()), context);
  }
  if (location.starts_with(kSsm)) {
    return std::make_unique<SsmStore>(location.substr(kSsm.size()), context);
  }
  // "s3:x" is a kind of store that this version does not have, "./a:b" is a path.
  const auto colon = location.find(':');
  if (location.empty() || (colon != std::string::npos && location.find('/') > colon)) {
    throw usage_error(fmt::format("--checkpoint {} is of no known kind", shown(location)),
                      "Give a path, sqlite:PATH, ssm:/PREFIX, dynamodb:TABLE, or none.");
  }
  return std::make_unique<SqliteStore>(location);
}

void require_shareable(const std::string& location) {
  if (!location.starts_with(kDynamoDb)) {
    throw usage_error("--workers needs a checkpoint that all workers share",
                      "Give all of them --checkpoint dynamodb:TABLE/RUN.");
  }
}

std::unique_ptr<FleetStore> open_fleet_store(const std::string& location,
                                             const StoreContext& context) {
  require_shareable(location);
  return std::make_unique<DynamoDbFleetStore>(location.substr(kDynamoDb.size()), context);
}

std::string worker_location(const std::string& location, source::WorkerPart part) {
  const DynamoDbPlace place = parse_dynamodb_place(location.substr(kDynamoDb.size()));
  return fmt::format("{}{}/{}/worker-{}-of-{}", kDynamoDb, place.table, place.run, part.worker,
                     part.workers);
}

std::string default_checkpoint_path(std::string_view state_home, std::string_view table,
                                    std::string_view destination, std::string_view key) {
  return fmt::format("{}/everyitem/{}--{}--{:016x}.sqlite", state_home, file_name_part(table),
                     file_name_part(destination), stable_hash(key));
}

}  // namespace everyitem::checkpoint
