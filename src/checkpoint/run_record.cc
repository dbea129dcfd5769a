#include "checkpoint/run_record.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"
#include "checkpoint/lease.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxOwnerBytes = 200;

std::string object_of(const std::string& location) {
  return fmt::format("checkpoint {}", location);
}

std::uint64_t next_epoch(std::uint64_t last, const Clock& clock) {
  return std::max(last + 1, static_cast<std::uint64_t>(seconds_now(clock)));
}

}  // namespace

std::int64_t seconds_now(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.wall_now().time_since_epoch())
      .count();
}

bool is_owned(const RunRecord& record, const Clock& clock) {
  return record.lease_until > seconds_now(clock);
}

RunOwner owner_of(const RunRecord& record) {
  return {.name = record.owner,
          .renewed_at = std::chrono::system_clock::time_point(
              std::chrono::seconds(record.lease_until) - kLease)};
}

RunRecord claimed(RunRecord record, const std::string& owner, const Clock& clock) {
  record.owner = owner.substr(0, kMaxOwnerBytes);
  record.epoch = next_epoch(record.epoch, clock);
  return renewed(std::move(record), clock);
}

RunRecord begun(const std::optional<RunRecord>& before, std::size_t segments,
                const std::string& owner, const Clock& clock) {
  RunRecord record = claimed(before.value_or(RunRecord{}), owner, clock);
  record.segments = static_cast<std::uint32_t>(segments);
  record.begun = record.epoch;
  return record;
}

RunRecord renewed(RunRecord record, const Clock& clock) {
  record.lease_until = seconds_now(clock) + kLease.count();
  return record;
}

RunRecord released(RunRecord record) {
  record.lease_until = 0;
  return record;
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

OwnedByAnother owned_by_another(const std::string& location, const RunRecord& record,
                                const Clock& clock) {
  const std::chrono::seconds left(
      std::max<std::int64_t>(0, record.lease_until - seconds_now(clock)));
  return {ErrorKind::failed,
          {.operation = "open",
           .object = object_of(location),
           .message = fmt::format("another process is working on this run: {}, whose lease ends in "
                                  "{} unless it is renewed",
                                  record.owner, duration(left)),
           .hint = "Wait for it to end, or stop it."}};
}

OwnedByAnother taken_over(const std::string& location, const std::optional<RunRecord>& record) {
  return {ErrorKind::failed,
          {.operation = "write",
           .object = object_of(location),
           .message = record ? "another process has taken this run over: " + record->owner
                             : "the run was removed, or another has begun in its place",
           .hint = "This one ends; what it has not checkpointed is delivered again."}};
}

Error not_a_checkpoint(const std::string& location, const std::string& message) {
  return {ErrorKind::failed,
          {.operation = "read",
           .object = object_of(location),
           .message = "it is not a checkpoint of everyitem, or damaged: " + message,
           .hint = "Name another with " + setting::kCheckpoint + ", or remove this one."}};
}

void require_format(const std::string& location, std::uint64_t format) {
  if (format != kRemoteFormat) {
    throw not_a_checkpoint(
        location,
        fmt::format("its format is {}, this version of everyitem knows {}", format, kRemoteFormat));
  }
}

}  // namespace everyitem::checkpoint
