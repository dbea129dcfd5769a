#include "checkpoint/run_record.h"

#include <stdexcept>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/unix_time.h"
#include "source/dynamodb_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

Message start_over() {
  return "Use " + setting::kRestart + " to start over, or name another location with " +
         setting::kCheckpoint + ".";
}

std::string object_of(const std::string& location) {
  return fmt::format("checkpoint {}", location);
}

std::string format_text(std::uint64_t format) {
  return fmt::format("its format is {}, this version of everyitem reads {}", format, kRemoteFormat);
}

}  // namespace

std::int64_t seconds_now(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.wall_now().time_since_epoch())
      .count();
}

FinishedRun finished_run(const RunState& state, const Clock& clock) {
  return {.totals = {.segment = 0,
                     .position = {.last_evaluated_key = {}, .complete = true},
                     .items = state.items(),
                     .bytes = state.bytes(),
                     .dead_letters = state.dead_letters()},
          .finished_at = seconds_now(clock)};
}

FinishedRun finished_run(SegmentProgress totals, std::int64_t finished_at) {
  if (!totals.position.complete || !totals.position.last_evaluated_key.empty()) {
    throw std::out_of_range("it is finished and not complete");
  }
  return {.totals = std::move(totals), .finished_at = finished_at};
}

std::vector<StoredSegment> finished_segments(const RunRecord& record) {
  std::vector<StoredSegment> segments;
  for (SegmentProgress& progress : fresh_segments(record.segments)) {
    progress.position.complete = true;
    segments.push_back({.progress = std::move(progress)});
  }
  segments.front().progress = record.finished->totals;
  return segments;
}

RunState run_state(const RunRecord& record, const std::vector<StoredSegment>& segments,
                   const std::string& location) {
  RunState state{.token = record.token};
  try {
    state.identity = parse_identity(record.identity);
  } catch (const std::exception& error) {  // Boost.JSON's, of several types
    throw damaged_checkpoint(location, fmt::format("its identity: {}", error.what()));
  }
  if (record.finished) {
    state.finished_at = unix_time<std::chrono::seconds>(record.finished->finished_at);
  }
  for (const StoredSegment& segment : segments) {
    state.segments.push_back(segment.progress);
  }
  return state;
}

std::optional<RunOwner> owner_of(const RunRecord& record) {
  if (!record.owned) {
    return std::nullopt;
  }
  return RunOwner{.name = record.owner,
                  .renewed_at = unix_time<std::chrono::seconds>(record.renewed_at)};
}

std::string identity_text(const RunIdentity& identity) {
  json::array parts;
  for (const IdentityPart& part : identity) {
    parts.push_back(json::array{part.name, part.value});
  }
  return json::serialize(parts);
}

RunIdentity parse_identity(std::string_view text) {
  RunIdentity identity;
  const json::value parsed = json::parse(text);
  for (const json::value& part : parsed.as_array()) {
    identity.push_back({std::string(part.as_array().at(0).as_string()),
                        std::string(part.as_array().at(1).as_string())});
  }
  return identity;
}

OwnedByAnother owned_by_another(const std::string& location, const std::string& owner) {
  return {ErrorKind::failed,
          {.operation = "open",
           .object = object_of(location),
           .message = "another process owns this run: " + owner,
           .hint = "Wait for it to end, or stop it."}};
}

OwnedByAnother taken_over(const std::string& location, const std::optional<RunRecord>& record) {
  return {ErrorKind::failed,
          {.operation = "write",
           .object = object_of(location),
           .message = record ? "another process has taken over this run: " + record->owner
                             : "the run was removed",
           .hint = "This process ends; what it has not checkpointed is delivered again."}};
}

Error shared_otherwise(const std::string& location, bool is_shared) {
  Message hint = (is_shared ? "Take part in it with " : "Resume it without ") + setting::kShare +
                 ", or name another run: " + setting::kCheckpoint("dynamodb:TABLE/RUN") + ".";
  return usage_error(fmt::format("the run at {} {}", location,
                                 is_shared ? "is shared by several processes"
                                           : "was begun by one process, which does not share it"),
                     std::move(hint));
}

DamagedCheckpoint damaged_checkpoint(const std::string& location, const std::string& message) {
  return {ErrorKind::failed,
          {.operation = "read",
           .object = object_of(location),
           .message = "it is not a checkpoint of everyitem, or damaged: " + message,
           .hint = start_over()}};
}

void require_format(const std::string& location, std::uint64_t format) {
  if (format < kRemoteFormat) {
    throw DamagedCheckpoint(ErrorKind::failed, {.operation = "read",
                                                .object = object_of(location),
                                                .code = {},
                                                .message = format_text(format),
                                                .hint = start_over()});
  }
  if (format > kRemoteFormat) {
    throw Error(ErrorKind::failed, {.operation = "read",
                                    .object = object_of(location),
                                    .code = {},
                                    .message = format_text(format),
                                    .hint = "Update everyitem, or name another location with " +
                                            setting::kCheckpoint + "."});
  }
}

void require_segments(std::uint32_t segments) {
  if (segments == 0 || segments > source::kMaxSegments) {
    throw std::out_of_range(fmt::format("{} segments", segments));
  }
}

}  // namespace everyitem::checkpoint
