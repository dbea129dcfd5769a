#include "checkpoint/dynamodb_run_items.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/run_item_format.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

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
    : items_(location, context) {}

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
  const std::vector<json::object> items = co_await items_.query(segment_prefix(token));
  put_in_place(items, token, 0, segments);
  co_return segments;
}

Awaitable<std::vector<StoredSegment>> DynamoDbRunItems::read_segments_from(
    std::uint32_t first, std::string token, std::vector<StoredSegment> segments) {
  const auto last = first + static_cast<std::uint32_t>(segments.size()) - 1;
  const std::vector<json::object> items =
      co_await items_.query_between(segment_name(token, first), segment_name(token, last));
  put_in_place(items, token, first, segments);
  co_return segments;
}

void DynamoDbRunItems::put_in_place(const std::vector<json::object>& items,
                                    const std::string& token, std::uint32_t first,
                                    std::vector<StoredSegment>& segments) const {
  for (const json::object& item : items) {
    std::optional<StoredSegment> segment = parse_segment_item(item, token, location());
    if (!segment) {
      continue;
    }
    const std::uint32_t number = segment->progress.segment;
    if (number < first || number - first >= segments.size()) {
      throw damaged_segment(location(), "no segment of this run");
    }
    segments[number - first] = *std::move(segment);
  }
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

Awaitable<std::vector<std::string>> DynamoDbRunItems::segment_names(const std::string& token) {
  return items_.names(segment_prefix(token));
}

}  // namespace everyitem::checkpoint
