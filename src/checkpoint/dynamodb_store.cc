#include "checkpoint/dynamodb_store.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

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

std::string segment_name(std::uint32_t segment) {
  return fmt::format("{}{:07}", kSegmentPrefix, segment);  // so that they sort by number
}

/// What both a segment's item and that of a complete run have.
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

SegmentProgress totals_of(const RunState& state) {
  return {.segment = 0,
          .position = {.last_evaluated_key = {}, .complete = true},
          .items = state.items(),
          .bytes = state.bytes(),
          .dead_letters = state.dead_letters()};
}

json::value delete_request(json::object key) {
  return json::object{{"DeleteRequest", json::object{{"Key", std::move(key)}}}};
}

}  // namespace

DynamoDbStore::DynamoDbStore(const DynamoDbLocation& location, const StoreContext& context)
    : items_(location, context),
      clock_(context.clock),
      owner_(context.owner),
      part_(context.part) {}

json::object DynamoDbStore::run_item(const RunRecord& record) const {
  json::object item = items_.key(kRunItem);
  item["format"] = number_attribute(kRemoteFormat);
  item["identity"] = text_attribute(item_.identity);
  item["segments"] = number_attribute(record.segments);
  item["owner"] = text_attribute(record.owner);
  item["epoch"] = number_attribute(record.epoch);
  item["begun"] = number_attribute(record.begun);
  item["lease_until"] = number_attribute(record.lease_until);
  if (item_.totals) {
    add_progress(item, *item_.totals);
    item["expires_at"] = number_attribute(item_.expires_at);
  }
  return item;
}

json::object DynamoDbStore::segment_item(const SegmentProgress& progress) const {
  json::object item = items_.key(segment_name(progress.segment));
  item["epoch"] = number_attribute(record_->epoch);
  if (!progress.position.last_evaluated_key.empty()) {
    item["last_evaluated_key"] = text_attribute(progress.position.last_evaluated_key);
  }
  add_progress(item, progress);
  return item;
}

void DynamoDbStore::parse_run_item(const json::object& item, RunRecord& record) {
  try {
    require_format(location(), number_of<std::uint64_t>(item, "format"));
    record = {.segments = number_of<std::uint32_t>(item, "segments"),
              .owner = text_of(item, "owner"),
              .epoch = number_of<std::uint64_t>(item, "epoch"),
              .begun = number_of<std::uint64_t>(item, "begun"),
              .lease_until = number_of<std::int64_t>(item, "lease_until")};
    item_.identity = text_of(item, "identity");
    item_.totals.reset();
    if (item.contains("expires_at")) {
      item_.totals = progress_of(item);
      item_.expires_at = number_of<std::int64_t>(item, "expires_at");
    }
    if (record.segments == 0 || record.segments > source::kMaxSegments) {
      throw std::out_of_range("the number of segments cannot be");
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw not_a_checkpoint(location(), fmt::format("the item \"run\": {}", error.what()));
  }
}

/// Leaves out what an earlier run has left.
void DynamoDbStore::take_segment_item(const json::object& item, RunState& state) const {
  try {
    const std::string name = text_of(item, "item");
    std::uint32_t number = 0;
    std::from_chars(name.data() + kSegmentPrefix.size(), name.data() + name.size(), number);
    if (number_of<std::uint64_t>(item, "epoch") < record_->begun) {
      return;
    }
    SegmentProgress progress = progress_of(item);
    progress.segment = number;
    if (number >= state.segments.size() || segment_name(number) != name) {
      throw std::out_of_range("no segment of this run");
    }
    state.segments[number] = std::move(progress);
  } catch (const std::exception& error) {  // Boost.JSON's, of several types, and our own
    throw not_a_checkpoint(location(), fmt::format("the item of a segment: {}", error.what()));
  }
}

Awaitable<std::optional<RunRecord>> DynamoDbStore::read_record() {
  const std::optional<json::object> item = co_await items_.get(kRunItem);
  if (!item) {
    co_return std::nullopt;
  }
  RunRecord record;
  parse_run_item(*item, record);
  co_return record;
}

/// Writes the run's item, if it is still what was seen of it.
Awaitable<void> DynamoDbStore::put_record(RunRecord wanted) {
  std::string condition = "attribute_not_exists(#run)";
  json::object values;
  if (record_) {
    condition =
        owned_ ? "#epoch = :epoch AND #owner = :owner" : "#epoch = :epoch AND #lease = :lease";
    values[":epoch"] = number_attribute(record_->epoch);
    if (owned_) {
      values[":owner"] = text_attribute(record_->owner);
    } else {
      values[":lease"] = number_attribute(record_->lease_until);
    }
  }
  const auto now = clock_.now();
  const bool written =
      co_await items_.put_if(run_item(wanted), std::move(condition), std::move(values));
  if (!written) {
    const RunItem ours = item_;
    const std::optional<RunRecord> there = co_await read_record();
    if (there != wanted) {  // or else it was written, and the answer was lost
      const bool was_owned = std::exchange(owned_, false);
      if (was_owned || !there) {
        throw taken_over(location(), there);
      }
      throw owned_by_another(location(), *there, clock_);
    }
    item_ = ours;
  }
  record_ = std::move(wanted);
  owned_ = true;
  renewed_at_ = now;
}

/// Makes the run that is there this process's, if there is one.
Awaitable<void> DynamoDbStore::claim() {
  record_ = co_await read_record();
  if (!record_) {
    co_return;
  }
  if (is_owned(*record_, clock_)) {
    throw owned_by_another(location(), *record_, clock_);
  }
  co_await put_record(claimed(*record_, owner_, clock_));
}

Awaitable<std::optional<RunView>> DynamoDbStore::look() {
  if (!owned_) {
    record_ = co_await read_record();
  }
  if (!record_) {
    co_return std::nullopt;
  }
  RunView view{.state = co_await read_state()};
  if (is_owned(*record_, clock_)) {
    view.owner = owner_of(*record_);
  }
  co_return view;
}

Awaitable<std::optional<RunState>> DynamoDbStore::load() {
  if (!owned_) {
    co_await claim();
  }
  if (!record_) {
    co_return std::nullopt;
  }
  RunState state = co_await read_state();
  segments_ = state.segments;
  co_return state;
}

Awaitable<RunState> DynamoDbStore::read_state() {
  RunState state;
  state.segments = fresh_segments(record_->segments, part_);
  try {
    state.identity = parse_identity(item_.identity);
  } catch (const std::exception& error) {
    throw not_a_checkpoint(location(), fmt::format("its identity: {}", error.what()));
  }
  if (item_.totals) {
    for (SegmentProgress& segment : state.segments) {
      segment.position.complete = true;
    }
    state.segments.front() = *item_.totals;
  } else {
    const std::vector<json::object> items = co_await segment_items(false);
    for (const json::object& item : items) {
      take_segment_item(item, state);
    }
  }
  co_return state;
}

Awaitable<void> DynamoDbStore::begin(RunState state) {
  if (!owned_) {
    co_await claim();
  }
  // From this write on it is the new run: what the old one's segments have is of an earlier epoch.
  item_ = RunItem();
  item_.identity = identity_text(state.identity);
  co_await put_record(begun(record_, state.segments.size(), owner_, clock_));
  co_await remove_segments();
  segments_ = fresh_segments(record_->segments, part_);
  std::vector<SegmentProgress> moved;
  std::ranges::copy_if(state.segments, std::back_inserter(moved), [this](const auto& segment) {
    return segment != segments_.at(segment.segment);
  });
  co_await save(std::move(moved));
}

Awaitable<void> DynamoDbStore::save(std::vector<SegmentProgress> moved) {
  for (const SegmentProgress& progress : moved) {
    co_await renew_when_due();
    co_await put_segment(progress);
  }
}

Awaitable<void> DynamoDbStore::put_segment(const SegmentProgress& progress) {
  if (!owned_) {
    throw taken_over(location(), record_);
  }
  if (progress.segment >= segments_.size()) {
    throw std::logic_error("progress of a segment of no run that was begun or loaded");
  }
  json::object values{{":epoch", number_attribute(record_->epoch)}};
  const bool written =
      co_await items_.put_if(segment_item(progress),
                             "attribute_not_exists(#epoch) OR #epoch <= :epoch", std::move(values));
  if (!written) {
    owned_ = false;
    const std::optional<RunRecord> there = co_await read_record();
    throw taken_over(location(), there);
  }
  segments_[progress.segment] = progress;
}

Awaitable<void> DynamoDbStore::renew_when_due() {
  // Until its lease ends, nobody else can own the run: only then it must be asked for.
  if (owned_ && clock_.now() - renewed_at_ >= kLeaseRenewal) {
    co_await put_record(renewed(*record_, clock_));
  }
}

Awaitable<void> DynamoDbStore::maintain() {
  while (owned_) {
    co_await clock_.sleep(kLeaseRenewal);
    co_await renew_when_due();
  }
}

Awaitable<void> DynamoDbStore::release() {
  if (!owned_) {
    co_return;
  }
  RunState state;
  state.segments = segments_;
  const bool finished = !segments_.empty() && state.complete() && !item_.totals;
  if (finished) {
    item_.totals = totals_of(state);
    item_.expires_at = seconds_now(clock_) + std::chrono::seconds(kLifeOfAFinishedRun).count();
  }
  co_await put_record(released(*record_));
  if (finished) {
    co_await remove_segments();
  }
  owned_ = false;
}

Awaitable<std::vector<json::object>> DynamoDbStore::segment_items(bool keys_alone) {
  std::vector<json::object> items;
  json::value start;
  do {
    json::object request{
        {"KeyConditionExpression", "#run = :run AND begins_with(#item, :segment)"},
        {"ExpressionAttributeNames", {{"#run", "run"}, {"#item", "item"}}},
        {"ExpressionAttributeValues",
         {{":run", text_attribute(items_.run())}, {":segment", text_attribute(kSegmentPrefix)}}},
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

/// Those of this run and of any before it.
Awaitable<void> DynamoDbStore::remove_segments() {
  std::vector<json::object> keys = co_await segment_items(true);
  while (!keys.empty()) {
    co_await renew_when_due();
    json::array deletes;
    for (; !keys.empty() && deletes.size() < source::kMaxBatchWrites; keys.pop_back()) {
      deletes.push_back(delete_request(std::move(keys.back())));
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
