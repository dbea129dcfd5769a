#include "checkpoint/ssm_store.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "checkpoint/lease.h"
#include "checkpoint/ssm_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// Versions of the record that are left behind before they are deleted, some at a time.
constexpr std::size_t kMaxOldRecords = 4;

json::array progress_array(const SegmentProgress& progress) {
  return {progress.segment,
          progress.position.last_evaluated_key,
          progress.position.complete,
          progress.items,
          progress.bytes,
          progress.dead_letters};
}

/// Throws where it is none, as Boost.JSON does.
SegmentProgress progress_of(const json::array& array) {
  return {.segment = array.at(0).to_number<std::uint32_t>(),
          .position = {.last_evaluated_key = std::string(array.at(1).as_string()),
                       .complete = array.at(2).as_bool()},
          .items = array.at(3).to_number<std::uint64_t>(),
          .bytes = array.at(4).to_number<std::uint64_t>(),
          .dead_letters = array.at(5).to_number<std::uint64_t>()};
}

std::size_t groups_of(std::size_t segments) {
  return (segments + SsmStore::kSegmentsPerGroup - 1) / SsmStore::kSegmentsPerGroup;
}

/// A text as it is found in parameters, part by part.
struct FoundText {
  std::map<std::uint64_t, std::string> parts;  ///< by number
  std::uint64_t count = 0;                     ///< of parts that it was cut into
  std::vector<std::string> names;

  void add(const std::string& name, const TextPart& part, const std::string& value) {
    parts[part.part] = value;
    count = part.parts;
    names.push_back(name);
  }
  bool whole() const { return count > 0 && parts.size() == count; }
  std::string text() const {
    std::string all;
    for (const auto& [number, value] : parts) {
      all += value;
    }
    return all;
  }
};

std::uint64_t highest_version(const SsmParameters::Values& values) {
  std::uint64_t highest = 0;
  for (const auto& [name, value] : values) {
    if (const auto record = parse_record_name(name)) {
      highest = std::max(highest, record->version);
    }
  }
  return highest;
}

std::vector<std::string> part_names(std::size_t parts,
                                    const std::function<std::string(TextPart)>& name) {
  std::vector<std::string> names;
  for (std::size_t part = 1; part <= parts; ++part) {
    names.push_back(name({.part = part, .parts = parts}));
  }
  return names;
}

}  // namespace

SsmStore::SsmStore(const SsmLocation& location, const StoreContext& context)
    : RemoteStore(context),
      interval_(context.interval.value_or(kParameterInterval)),
      parameters_(location, context) {}

RunRecord SsmStore::parse_record(std::uint64_t version, const SsmParameters::Values& values) const {
  const std::string name = RecordName{.version = version}.text();
  try {
    const json::value parsed = json::parse(values.at(name));
    const json::object& run = parsed.as_object();
    require_format(location(), run.at("format").to_number<std::uint64_t>());
    RunRecord record{.token = std::string(run.at("token").as_string()),
                     .version = version,
                     .generation = run.at("generation").to_number<std::uint64_t>(),
                     .owner = std::string(run.at("owner").as_string()),
                     .owned = run.at("owned").as_bool(),
                     .renewed_at = run.at("renewed_at").to_number<std::int64_t>(),
                     .segments = run.at("total_segments").to_number<std::uint32_t>(),
                     .identity = {}};
    if (const json::value* totals = run.if_contains("totals")) {
      record.finished = finished_run(progress_of(totals->as_array()),
                                     run.at("finished_at").to_number<std::int64_t>());
    }
    require_segments(record.segments);
    FoundText identity;
    for (const auto& [part_name, value] : values) {
      const auto part = parse_identity_name(part_name);
      if (part && part->token == record.token) {
        identity.add(part_name, part->part, value);
      }
    }
    if (!identity.whole()) {
      throw std::out_of_range("the run's identity is missing");
    }
    record.identity = identity.text();
    return record;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_checkpoint(location(), fmt::format("the parameter {}: {}", name, error.what()));
  }
}

Awaitable<StoredRecord> SsmStore::read_record() {
  const SsmParameters::Values values = co_await parameters_.list();
  StoredRecord stored{.record = {}, .damage = {}, .version = highest_version(values)};
  if (stored.version == 0) {
    co_return stored;
  }
  try {
    stored.record = parse_record(stored.version, values);
    identity_token_ = stored.record->token;
  } catch (const DamagedCheckpoint& damage) {
    stored.damage = damage;
  }
  co_return stored;
}

Awaitable<bool> SsmStore::write_record(RunRecord record, StoredRecord /*before*/) {
  // Its name has the token of this run alone, and nobody reads it before the record is
  // there.
  if (record.token != identity_token_) {
    const std::vector<std::string> parts = parameter_parts(record.identity);
    const std::vector<std::string> names = part_names(parts.size(), [&](TextPart part) {
      return IdentityName{.token = record.token, .part = part}.text();
    });
    co_await put_parts(names, parts);
    identity_token_ = record.token;
  }
  json::object run{{"format", kRemoteFormat},
                   {"token", record.token},
                   {"generation", record.generation},
                   {"owner", record.owner},
                   {"owned", record.owned},
                   {"renewed_at", record.renewed_at},
                   {"total_segments", record.segments}};
  if (record.finished) {
    run["totals"] = progress_array(record.finished->totals);
    run["finished_at"] = record.finished->finished_at;
  }
  std::string text = parameter_parts(json::serialize(run)).front();
  std::string name = RecordName{.version = record.version}.text();
  if (!co_await parameters_.create(std::move(name), std::move(text))) {
    co_return false;
  }
  // The version may have been there before and be deleted by now, when others were written since.
  const SsmParameters::Values values = co_await parameters_.list();
  if (highest_version(values) > record.version) {
    co_return false;
  }
  co_await remove_old_records(record.version, values);
  co_return true;
}

/// All but the last one and the one before it, which a stale read may still take for the last.
Awaitable<void> SsmStore::remove_old_records(std::uint64_t version,
                                             const SsmParameters::Values& values) {
  std::vector<std::string> old;
  for (const auto& [name, value] : values) {
    const auto record = parse_record_name(name);
    if (record && record->version + 1 < version) {
      old.push_back(name);
    }
  }
  if (old.size() >= kMaxOldRecords) {
    co_await parameters_.remove(std::move(old));
  }
}

Awaitable<void> SsmStore::put_parts(const std::vector<std::string>& names,
                                    const std::vector<std::string>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    co_await parameters_.put(names[i], parts[i]);
  }
}

/// Those of its segments that have moved.
std::string SsmStore::group_text(std::size_t group) {
  json::array moved;
  const std::size_t end = std::min(segments().size(), (group + 1) * kSegmentsPerGroup);
  for (std::size_t i = group * kSegmentsPerGroup; i < end; ++i) {
    const SegmentProgress& progress = segments()[i].progress;
    if (progress != SegmentProgress{.segment = progress.segment}) {
      moved.push_back(progress_array(progress));
    }
  }
  return json::serialize(json::object{{"token", run_token()},
                                      {"total_segments", segments().size()},
                                      {"segments", std::move(moved)}});
}

void SsmStore::take_group(const std::string& text, const RunRecord& record,
                          std::vector<StoredSegment>& segments) const {
  try {
    const json::value parsed = json::parse(text);
    const json::object& group = parsed.as_object();
    if (group.at("token").as_string() != json::string_view(record.token) ||
        group.at("total_segments").to_number<std::uint32_t>() != record.segments) {
      return;
    }
    for (const json::value& element : group.at("segments").as_array()) {
      SegmentProgress progress = progress_of(element.as_array());
      segments.at(progress.segment).progress = std::move(progress);
    }
  } catch (const std::exception& error) {  // Boost.JSON's, of several types
    throw damaged_checkpoint(location(),
                             fmt::format("the parameter of segments: {}", error.what()));
  }
}

Awaitable<std::vector<StoredSegment>> SsmStore::read_segments(const RunRecord& record) {
  const SsmParameters::Values values = co_await parameters_.list();
  // The last write of each group is the last entry of its number.
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>, FoundText> writes;
  found_superseded_.clear();
  for (const auto& [name, value] : values) {
    if (const auto part = parse_group_name(name)) {
      if (part->token == record.token) {
        writes[{part->group, part->generation, part->write}].add(name, part->part, value);
      } else {
        found_superseded_.push_back(name);
      }
    }
  }
  std::vector<StoredSegment> segments = unread_segments(record.segments);
  found_groups_.assign(groups_of(segments.size()), {});
  std::vector<const FoundText*> counting(found_groups_.size());
  for (const auto& [write, found] : writes) {
    const std::uint64_t group = std::get<0>(write);
    if (group < counting.size() && found.whole()) {
      counting[group] = &found;
    }
  }
  for (const auto& [write, found] : writes) {
    const std::uint64_t group = std::get<0>(write);
    if (group < counting.size() && counting[group] == &found) {
      take_group(found.text(), record, segments);
      found_groups_[group].names = found.names;
    } else {
      found_superseded_.insert(found_superseded_.end(), found.names.begin(), found.names.end());
    }
  }
  co_return segments;
}

void SsmStore::segments_changed() {
  groups_ = std::exchange(found_groups_, {});
  groups_.resize(groups_of(segments().size()));
  for (Group& group : groups_) {
    group.written_at = clock().now();
  }
  superseded_ = std::exchange(found_superseded_, {});
}

Awaitable<std::vector<std::string>> SsmStore::segment_names(std::string token) {
  const SsmParameters::Values values = co_await parameters_.list();
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    const auto group = parse_group_name(name);
    if (token.empty() ? group || parse_identity_name(name) : group && group->token == token) {
      names.push_back(name);
    }
  }
  co_return names;
}

Awaitable<void> SsmStore::remove(std::vector<std::string> names) {
  while (!names.empty()) {
    co_await ownership().renew_if_due();
    std::vector<std::string> batch;
    for (; !names.empty() && batch.size() < kMaxDeletedParameters; names.pop_back()) {
      batch.push_back(std::move(names.back()));
    }
    co_await parameters_.remove(std::move(batch));
  }
}

bool SsmStore::all_is_written() const { return std::ranges::none_of(groups_, &Group::moved); }

Awaitable<void> SsmStore::save(std::vector<SegmentProgress> moved) {
  if (!ownership().owns()) {
    co_await ownership().require();  // throws
  }
  for (SegmentProgress& progress : moved) {
    const std::uint32_t number = progress.segment;
    segment(number).progress = std::move(progress);
    groups_.at(number / kSegmentsPerGroup).moved = true;
  }
}

bool SsmStore::is_due(const Group& group, bool whenever) const {
  return group.moved && (whenever || clock().now() - group.written_at >= interval_);
}

Awaitable<void> SsmStore::write_moved(bool whenever) {
  co_await ownership().renew_if_due();
  bool written = false;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    if (is_due(groups_[group], whenever)) {
      co_await write_group(group);
      co_await ownership().renew_if_due();  // writes may be throttled, and time has passed
      written = true;
    }
  }
  if (written && !superseded_.empty()) {
    std::vector<std::string> names = std::exchange(superseded_, {});
    co_await remove(std::move(names));
  }
}

/// What moves while it is being written is written the next time.
Awaitable<void> SsmStore::write_group(std::size_t number) {
  Group& group = groups_[number];
  group.moved = false;
  group.written_at = clock().now();
  const std::vector<std::string> parts = parameter_parts(group_text(number));
  GroupName name{.token = run_token(),
                 .group = number,
                 .generation = ownership().record().generation,
                 .write = ++writes_};
  std::vector<std::string> names = part_names(parts.size(), [&name](TextPart part) {
    name.part = part;
    return name.text();
  });
  try {
    co_await put_parts(names, parts);
  } catch (...) {
    group.moved = true;
    superseded_.insert(superseded_.end(), names.begin(), names.end());
    throw;
  }
  has_written_ = true;
  superseded_.insert(superseded_.end(), group.old_names.begin(), group.old_names.end());
  group.old_names = std::exchange(group.names, std::move(names));
}

Awaitable<void> SsmStore::maintain() {
  while (ownership().owns()) {
    co_await clock().sleep(kLookInterval);
    co_await write_moved(false);
  }
}

Awaitable<void> SsmStore::flush() {
  while (ownership().owns() && !all_is_written()) {
    co_await write_moved(true);
  }
}

}  // namespace everyitem::checkpoint
