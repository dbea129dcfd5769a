#include "checkpoint/dynamodb_run_items.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/unix_time.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/lease.h"
#include "source/dynamodb_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// Before what BatchWriteItem did not process is asked for again.
constexpr std::chrono::milliseconds kUnprocessedPause{200};

constexpr const char* kRunItem = "run";
constexpr std::string_view kSegmentPrefix = "segment-";

std::string segment_prefix(std::string_view token) {
  return token.empty() ? std::string(kSegmentPrefix) : fmt::format("{}{}-", kSegmentPrefix, token);
}

std::string segment_name(std::string_view token, std::uint32_t segment) {
  return fmt::format("{}{:07}", segment_prefix(token), segment);  // so that they sort by number
}

/// What both a segment's item and that of a finished run have.
void add_progress(json::object& item, const SegmentProgress& progress) {
  item["complete"] = json::object{{"BOOL", progress.position.complete}};
  item["items"] = number_attribute(progress.items);
  item["bytes"] = number_attribute(progress.bytes);
  item["dead_letters"] = number_attribute(progress.dead_letters);
}

SegmentProgress progress_of(const json::object& item) {
  return {.segment = 0,
          .position = {.last_evaluated_key = optional_text_of(item, "last_evaluated_key"),
                       .complete = flag_of(item, "complete")},
          .items = number_of<std::uint64_t>(item, "items"),
          .bytes = number_of<std::uint64_t>(item, "bytes"),
          .dead_letters = number_of<std::uint64_t>(item, "dead_letters")};
}

/// Seconds since 1970, as `finished_at` is.
std::int64_t expiry_of(std::int64_t finished_at) {
  const auto expires_at = unix_time<std::chrono::seconds>(finished_at) + kFinishedRunLifetime;
  return std::chrono::duration_cast<std::chrono::seconds>(expires_at.time_since_epoch()).count();
}

constexpr const char* kForeign = "no segment of this run";

DamagedCheckpoint damaged_segment(const std::string& location, std::string_view what) {
  return damaged_checkpoint(location, fmt::format("the item of a segment: {}", what));
}

json::value delete_request(json::object key) {
  return json::object{{"DeleteRequest", json::object{{"Key", std::move(key)}}}};
}

/// The condition that what is there is still what was read, term by term.
class Unchanged {
 public:
  void has(const std::string& name, const json::value* attribute) {
    add(attribute == nullptr ? fmt::format("attribute_not_exists(#{})", name)
                             : fmt::format("#{0} = :{0}", name));
    if (attribute != nullptr) {
      values_[":" + name] = *attribute;
    }
  }

  const std::string& text() const { return text_; }
  const json::object& values() const { return values_; }

 private:
  void add(const std::string& term) { text_ += (text_.empty() ? "" : " AND ") + term; }

  std::string text_;
  json::object values_;
};

}  // namespace

DynamoDbRunItems::DynamoDbRunItems(const DynamoDbLocation& location, const StoreContext& context)
    : items_(location, context), clock_(context.clock) {}

json::object DynamoDbRunItems::run_item(const RunRecord& record) const {
  json::object item = items_.key(kRunItem);
  item["format"] = number_attribute(kRemoteFormat);
  item["token"] = text_attribute(record.token);
  item["version"] = number_attribute(record.version);
  item["generation"] = number_attribute(record.generation);
  item["owner"] = text_attribute(record.owner);
  item["owned"] = json::object{{"BOOL", record.owned}};
  item["renewed_at"] = number_attribute(record.renewed_at);
  item["segments"] = number_attribute(record.segments);
  item["identity"] = text_attribute(record.identity);
  if (record.finished) {
    add_progress(item, record.finished->totals);
    item["finished_at"] = number_attribute(record.finished->finished_at);
    item["expires_at"] = number_attribute(expiry_of(record.finished->finished_at));
  }
  return item;
}

RunRecord DynamoDbRunItems::parse_run_item(const json::object& item) const {
  try {
    require_format(location(), number_of<std::uint64_t>(item, "format"));
    RunRecord record{.token = text_of(item, "token"),
                     .version = number_of<std::uint64_t>(item, "version"),
                     .generation = number_of<std::uint64_t>(item, "generation"),
                     .owner = text_of(item, "owner"),
                     .owned = flag_of(item, "owned"),
                     .renewed_at = number_of<std::int64_t>(item, "renewed_at"),
                     .segments = number_of<std::uint32_t>(item, "segments"),
                     .identity = text_of(item, "identity")};
    if (item.contains("finished_at")) {
      record.finished = {.totals = progress_of(item),
                         .finished_at = number_of<std::int64_t>(item, "finished_at")};
    }
    require_segments(record.segments);
    return record;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_checkpoint(location(), fmt::format("the item \"run\": {}", error.what()));
  }
}

Awaitable<StoredRecord> DynamoDbRunItems::read_record() {
  const std::optional<json::object> item = co_await items_.get(kRunItem);
  StoredRecord stored;
  if (!item) {
    co_return stored;
  }
  try {
    stored.record = parse_run_item(*item);
    stored.version = stored.record->version;
  } catch (const DamagedCheckpoint& damage) {
    stored.damage = damage;
    damaged_item_ = *item;
  }
  co_return stored;
}

Awaitable<bool> DynamoDbRunItems::write_record(RunRecord record, StoredRecord before) {
  Unchanged unchanged;
  if (before.record) {
    const json::value token = text_attribute(before.record->token);
    const json::value version = number_attribute(before.record->version);
    unchanged.has("token", &token);
    unchanged.has("version", &version);
  } else if (before.damage) {
    unchanged.has("token", damaged_item_.if_contains("token"));
    unchanged.has("version", damaged_item_.if_contains("version"));
  } else {
    unchanged.has("run", nullptr);
  }
  return items_.put_if(run_item(record), unchanged.text(), unchanged.values());
}

json::object DynamoDbRunItems::segment_item(const std::string& token,
                                            const StoredSegment& segment) const {
  json::object item = items_.key(segment_name(token, segment.progress.segment));
  item["token"] = text_attribute(token);
  item["version"] = number_attribute(segment.version);
  if (!segment.progress.position.last_evaluated_key.empty()) {
    item["last_evaluated_key"] = text_attribute(segment.progress.position.last_evaluated_key);
  }
  add_progress(item, segment.progress);
  return item;
}

/// Nothing if it is of another run.
std::optional<StoredSegment> DynamoDbRunItems::parse_segment_item(const json::object& item,
                                                                  const std::string& token) const {
  try {
    const std::string name = text_of(item, "item");
    const std::size_t digits = segment_prefix(token).size();
    std::uint32_t number = 0;
    std::from_chars(name.data() + std::min(digits, name.size()), name.data() + name.size(), number);
    if (segment_name(token, number) != name) {
      throw std::out_of_range(kForeign);
    }
    if (text_of(item, "token") != token) {
      return std::nullopt;
    }
    StoredSegment segment{.progress = progress_of(item),
                          .version = number_of<std::uint64_t>(item, "version")};
    segment.progress.segment = number;
    return segment;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_segment(location(), error.what());
  }
}

Awaitable<std::vector<StoredSegment>> DynamoDbRunItems::read_segments(
    std::string token, std::vector<StoredSegment> segments) {
  const std::vector<json::object> items = co_await query(segment_prefix(token), false);
  for (const json::object& item : items) {
    std::optional<StoredSegment> segment = parse_segment_item(item, token);
    if (!segment) {
      continue;
    }
    const std::uint32_t number = segment->progress.segment;
    if (number >= segments.size()) {
      throw damaged_segment(location(), kForeign);
    }
    segments[number] = *std::move(segment);
  }
  co_return segments;
}

Awaitable<std::optional<StoredSegment>> DynamoDbRunItems::read_segment(std::string token,
                                                                       std::uint32_t number) {
  const std::optional<json::object> item = co_await items_.get(segment_name(token, number));
  co_return item ? parse_segment_item(*item, token) : std::nullopt;
}

Awaitable<bool> DynamoDbRunItems::write_segment(std::string token, StoredSegment segment) {
  Unchanged unchanged;
  const json::value version = number_attribute(segment.version - 1);
  unchanged.has("version", segment.version == 1 ? nullptr : &version);
  return items_.put_if(segment_item(token, segment), unchanged.text(), unchanged.values());
}

Awaitable<std::vector<json::object>> DynamoDbRunItems::query(std::string prefix, bool keys_alone) {
  std::vector<json::object> items;
  json::value start;
  do {
    json::object request{
        {"KeyConditionExpression", "#run = :run AND begins_with(#item, :segment)"},
        {"ExpressionAttributeNames", {{"#run", "run"}, {"#item", "item"}}},
        {"ExpressionAttributeValues",
         {{":run", text_attribute(items_.run())}, {":segment", text_attribute(prefix)}}},
        {"ConsistentRead", true}};
    if (keys_alone) {
      request["ProjectionExpression"] = "#run, #item";
    }
    if (start.is_object()) {
      request["ExclusiveStartKey"] = std::move(start);
    }
    json::object answer = co_await items_.call("Query", std::move(request));
    if (json::value* page = answer.if_contains("Items"); page != nullptr && page->is_array()) {
      for (json::value& item : page->get_array()) {
        if (item.is_object()) {
          items.push_back(std::move(item.get_object()));
        }
      }
    }
    const json::value* last = answer.if_contains("LastEvaluatedKey");
    start = last == nullptr ? json::value() : *last;
  } while (start.is_object());
  co_return items;
}

Awaitable<std::vector<std::string>> DynamoDbRunItems::segment_names(std::string token) {
  std::vector<std::string> names;
  const std::vector<json::object> items = co_await query(segment_prefix(token), true);
  names.reserve(items.size());
  for (const json::object& item : items) {
    names.push_back(text_of(item, "item"));
  }
  co_return names;
}

Awaitable<void> DynamoDbRunItems::remove(std::vector<std::string> names,
                                         std::function<Awaitable<void>()> between) {
  while (!names.empty()) {
    co_await between();
    json::array deletes;
    for (; !names.empty() && deletes.size() < source::kMaxBatchWrites; names.pop_back()) {
      deletes.push_back(delete_request(items_.key(names.back())));
    }
    while (!deletes.empty()) {
      json::object request{{"RequestItems", {{items_.table(), std::move(deletes)}}}};
      const json::object answer = co_await items_.call("BatchWriteItem", std::move(request));
      deletes = {};
      const json::value* unprocessed = answer.if_contains("UnprocessedItems");
      if (unprocessed != nullptr && unprocessed->is_object() &&
          !unprocessed->get_object().empty()) {
        deletes = unprocessed->get_object().begin()->value().as_array();
        co_await clock_.sleep(kUnprocessedPause);
      }
    }
  }
}

}  // namespace everyitem::checkpoint
