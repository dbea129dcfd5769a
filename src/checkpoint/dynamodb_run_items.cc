#include "checkpoint/dynamodb_run_items.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/run_item_format.h"
#include "source/dynamodb_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// Before what BatchWriteItem did not process is asked for again.
constexpr std::chrono::milliseconds kUnprocessedPause{200};

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

Awaitable<StoredRecord> DynamoDbRunItems::read_record() {
  const std::optional<json::object> item = co_await items_.get(kRunItem);
  StoredRecord stored;
  if (!item) {
    co_return stored;
  }
  try {
    stored.record = parse_run_item(*item, location());
    stored.version = stored.record->version;
  } catch (const DamagedCheckpoint& damage) {
    stored.damage = damage;
    damaged_item_ = *item;
  }
  co_return stored;
}

Awaitable<bool> DynamoDbRunItems::write_record(const RunRecord& record, StoredRecord before) {
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
  return items_.put_if(run_item(items_.key(kRunItem), record), unchanged.text(),
                       unchanged.values());
}

Awaitable<std::vector<StoredSegment>> DynamoDbRunItems::read_segments(
    std::string token, std::vector<StoredSegment> segments) {
  const std::vector<json::object> items = co_await query(segment_prefix(token), false);
  for (const json::object& item : items) {
    std::optional<StoredSegment> segment = parse_segment_item(item, token, location());
    if (!segment) {
      continue;
    }
    const std::uint32_t number = segment->progress.segment;
    if (number >= segments.size()) {
      throw damaged_segment(location(), "no segment of this run");
    }
    segments[number] = *std::move(segment);
  }
  co_return segments;
}

Awaitable<std::optional<StoredSegment>> DynamoDbRunItems::read_segment(std::string token,
                                                                       std::uint32_t number) {
  const std::optional<json::object> item = co_await items_.get(segment_name(token, number));
  co_return item ? parse_segment_item(*item, token, location()) : std::nullopt;
}

Awaitable<bool> DynamoDbRunItems::write_segment(const std::string& token,
                                                const StoredSegment& segment) {
  Unchanged unchanged;
  const json::value version = number_attribute(segment.version - 1);
  unchanged.has("version", segment.version == 1 ? nullptr : &version);
  json::object item =
      segment_item(items_.key(segment_name(token, segment.progress.segment)), token, segment);
  return items_.put_if(std::move(item), unchanged.text(), unchanged.values());
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
