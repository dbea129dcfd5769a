#include "checkpoint/dynamodb_store.h"

#include <charconv>
#include <map>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/unix_time.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/lease.h"
#include "checkpoint/side_by_side.h"
#include "source/dynamodb_limits.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// Before what BatchWriteItem did not process is asked for again.
constexpr std::chrono::milliseconds kUnprocessedPause{200};

/// How often a segment's item is written again that was refused because it is not as it was read.
constexpr int kMaxSegmentWrites = 4;

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

DynamoDbStore::DynamoDbStore(const DynamoDbLocation& location, const StoreContext& context)
    : RemoteStore(context), items_(location, context) {}

json::object DynamoDbStore::run_item(const RunRecord& record) const {
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

RunRecord DynamoDbStore::parse_run_item(const json::object& item) const {
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

Awaitable<StoredRecord> DynamoDbStore::read_record() {
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

Awaitable<bool> DynamoDbStore::write_record(RunRecord record, StoredRecord before) {
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

json::object DynamoDbStore::segment_item(const StoredSegment& segment) const {
  const std::string& token = run_token();
  json::object item = items_.key(segment_name(token, segment.progress.segment));
  item["token"] = text_attribute(token);
  item["version"] = number_attribute(segment.version);
  if (!segment.progress.position.last_evaluated_key.empty()) {
    item["last_evaluated_key"] = text_attribute(segment.progress.position.last_evaluated_key);
  }
  add_progress(item, segment.progress);
  return item;
}

void DynamoDbStore::take_segment_item(const json::object& item, const RunRecord& record,
                                      std::vector<StoredSegment>& segments) const {
  try {
    const std::string name = text_of(item, "item");
    const std::size_t digits = segment_prefix(record.token).size();
    std::uint32_t number = 0;
    std::from_chars(name.data() + std::min(digits, name.size()), name.data() + name.size(), number);
    if (number >= segments.size() || segment_name(record.token, number) != name) {
      throw std::out_of_range("no segment of this run");
    }
    if (text_of(item, "token") != record.token) {
      return;
    }
    StoredSegment& segment = segments[number];
    segment.progress = progress_of(item);
    segment.progress.segment = number;
    segment.version = number_of<std::uint64_t>(item, "version");
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw damaged_checkpoint(location(), fmt::format("the item of a segment: {}", error.what()));
  }
}

Awaitable<std::vector<RemoteStore::StoredSegment>> DynamoDbStore::read_segments(
    const RunRecord& record) {
  std::vector<StoredSegment> segments = unread_segments(record.segments);
  const std::vector<json::object> items =
      co_await segment_items(segment_prefix(record.token), false);
  for (const json::object& item : items) {
    take_segment_item(item, record, segments);
  }
  co_return segments;
}

Awaitable<void> DynamoDbStore::save(std::vector<SegmentProgress> moved) {
  if (!ownership().owns()) {
    co_await ownership().require();  // throws
  }
  co_await ownership().renew_if_due();
  std::map<std::uint32_t, SegmentProgress> last;  // of each segment
  for (SegmentProgress& progress : moved) {
    last.insert_or_assign(progress.segment, std::move(progress));
  }
  moved.clear();
  for (auto& [number, progress] : last) {
    moved.push_back(std::move(progress));
  }
  const auto put = [this](const SegmentProgress& progress) { return put_segment(progress); };
  co_await work_side_by_side(moved, kMaxWritesAtOnce, put);
}

Awaitable<void> DynamoDbStore::put_segment(const SegmentProgress& progress) {
  StoredSegment& stored = segment(progress.segment);
  for (int writes = 0; writes < kMaxSegmentWrites; ++writes) {
    const StoredSegment wanted{.progress = progress, .version = stored.version + 1};
    Unchanged unchanged;
    const json::value version = number_attribute(stored.version);
    unchanged.has("version", stored.version == 0 ? nullptr : &version);
    const bool written =
        co_await items_.put_if(segment_item(wanted), unchanged.text(), unchanged.values());
    if (written) {
      stored = wanted;
      co_return;
    }
    // It was written and the answer was lost; or an earlier owner's write has landed late; or the
    // run is another's.
    co_await ownership().require();
    const RunRecord record = ownership().record();
    std::vector<StoredSegment> there = unread_segments(record.segments);
    const std::string name = segment_name(run_token(), progress.segment);
    if (const std::optional<json::object> item = co_await items_.get(name)) {
      take_segment_item(*item, record, there);
    }
    stored.version = there.at(progress.segment).version;
    if (stored.version == wanted.version &&
        there.at(progress.segment).progress == wanted.progress) {
      stored = wanted;
      co_return;
    }
  }
  throw Error(ErrorKind::failed,
              {.operation = "write",
               .object = "checkpoint " + location(),
               .code = {},
               .message = fmt::format("segment {} is refused again and again", progress.segment),
               .hint = {}});
}

Awaitable<void> DynamoDbStore::maintain() {
  while (ownership().owns()) {
    co_await clock().sleep(kLeaseRenewal);
    co_await ownership().renew_if_due();
  }
}

Awaitable<std::vector<json::object>> DynamoDbStore::segment_items(std::string prefix,
                                                                  bool keys_alone) {
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

Awaitable<std::vector<std::string>> DynamoDbStore::segment_names(std::string token) {
  std::vector<std::string> names;
  const std::vector<json::object> items = co_await segment_items(segment_prefix(token), true);
  names.reserve(items.size());
  for (const json::object& item : items) {
    names.push_back(text_of(item, "item"));
  }
  co_return names;
}

Awaitable<void> DynamoDbStore::remove(std::vector<std::string> names) {
  while (!names.empty()) {
    co_await ownership().renew_if_due();
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
        co_await clock().sleep(kUnprocessedPause);
      }
    }
  }
}

}  // namespace everyitem::checkpoint
