#include "checkpoint/dynamodb_shared_run.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/run_item_format.h"
#include "checkpoint/side_by_side.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// How often an item is written again that was refused because it is not as it was read.
constexpr int kMaxRewrites = 4;

/// Parts that `save` writes at once: each is an item by itself.
constexpr std::size_t kMaxWritesAtOnce = 32;

Error removed_run(const std::string& location) {
  return {ErrorKind::failed,
          {.operation = "share",
           .object = fmt::format("checkpoint {}", location),
           .message = "the run that this process takes part in was removed, or replaced",
           .hint = "This process ends; what was saved of the run went with it."}};
}

Error refused_again(const std::string& location, const std::string& what) {
  return {ErrorKind::failed,
          {.operation = "write",
           .object = fmt::format("checkpoint {}", location),
           .message = what + " is refused again and again"}};
}

}  // namespace

DynamoDbSharedRun::DynamoDbSharedRun(const DynamoDbLocation& location, const StoreContext& context)
    : items_(location, context),
      run_items_(location, context),
      clock_(context.clock),
      notice_(context.notice),
      name_(context.owner.substr(0, kMaxOwnerBytes)) {}

const RunRecord& DynamoDbSharedRun::record() const {
  if (!record_) {
    throw std::logic_error("a shared run that was neither joined nor begun");
  }
  return *record_;
}

Awaitable<std::optional<RunRecord>> DynamoDbSharedRun::join() {
  const StoredRecord there = co_await run_items_.read_record();
  if (there.damage) {
    throw *there.damage;
  }
  if (there.record && !there.record->shared && !there.record->finished) {
    throw shared_otherwise(location(), false);
  }
  record_ = there.record;
  if (record_ && record_->finished) {
    // By whoever finished it and was killed before it could.
    Awaitable<std::vector<std::string>> left = left_by_this_run();
    co_await remove(std::move(left));
  }
  co_return record_;
}

Awaitable<bool> DynamoDbSharedRun::begin(RunState state) {
  RunRecord record{.token = state.token,
                   .version = 1,
                   .owner = name_,
                   .renewed_at = seconds_now(clock_),
                   .segments = static_cast<std::uint32_t>(state.segments.size()),
                   .identity = identity_text(state.identity),
                   .shared = true};
  bool begun = co_await run_items_.write_record(record, {});
  if (!begun) {
    const StoredRecord there = co_await run_items_.read_record();
    begun = there.record == record;  // it was written, and the answer was lost
  }
  if (begun) {
    record_ = std::move(record);
    Awaitable<std::vector<std::string>> left = left_by_others();
    co_await remove(std::move(left));
    co_return true;
  }
  co_return false;
}

Awaitable<std::vector<StoredSegment>> DynamoDbSharedRun::parts(PartRange range) {
  if (record().finished) {
    co_return std::vector<StoredSegment>();
  }
  std::vector<StoredSegment> parts(range.count);
  for (std::uint32_t i = 0; i < range.count; ++i) {
    parts[i].progress.segment = range.first + i;
  }
  parts = co_await run_items_.read_segments_from(range.first, record().token, std::move(parts));
  if (std::ranges::find(parts, 0U, &StoredSegment::version) != parts.end()) {
    const bool finished = co_await is_finished();
    if (finished) {
      parts.clear();
    }
  }
  co_return parts;
}

/// Asks the record.
Awaitable<bool> DynamoDbSharedRun::is_finished() {
  StoredRecord there = co_await run_items_.read_record();
  if (!there.record || there.record->token != record().token) {
    throw removed_run(location());
  }
  record_ = std::move(there.record);
  co_return record().finished.has_value();
}

Awaitable<std::optional<StoredSegment>> DynamoDbSharedRun::claim(StoredSegment seen) {
  StoredSegment wanted = std::move(seen);
  ++wanted.version;
  wanted.sharer = name_;
  bool written = co_await run_items_.write_segment(record().token, wanted);
  if (!written) {
    const std::optional<StoredSegment> there =
        co_await run_items_.read_segment(record().token, wanted.progress.segment);
    written = there == wanted;  // and the answer was lost
  }
  if (!written) {
    co_return std::nullopt;
  }
  if (wanted.version == 1) {
    const bool finished = co_await is_finished();
    if (finished) {
      std::vector<std::string> names(1, segment_name(record().token, wanted.progress.segment));
      co_await items_.remove(std::move(names), {});
      co_return std::nullopt;
    }
  }
  held_[wanted.progress.segment] = wanted;
  co_return wanted;
}

/// False if the part is another's by now.
Awaitable<bool> DynamoDbSharedRun::write_own(SegmentProgress progress, std::string sharer) {
  const std::uint32_t number = progress.segment;
  for (int writes = 0; writes < kMaxRewrites; ++writes) {
    const auto held = held_.find(number);
    if (held == held_.end()) {
      co_return false;
    }
    const StoredSegment wanted{
        .progress = progress, .version = held->second.version + 1, .sharer = sharer};
    bool written = co_await run_items_.write_segment(record().token, wanted);
    if (!written) {
      const std::optional<StoredSegment> there =
          co_await run_items_.read_segment(record().token, number);
      written = there == wanted;  // and the answer was lost
      if (!written && (!there || there->sharer != name_)) {
        held_.erase(number);
        co_return false;
      }
      if (!written) {  // an earlier write has landed late
        held_[number] = *there;
        continue;
      }
    }
    if (sharer.empty()) {
      held_.erase(number);
    } else {
      held_[number] = wanted;
    }
    co_return true;
  }
  throw refused_again(location(), fmt::format("part {}", number));
}

Awaitable<std::vector<std::uint32_t>> DynamoDbSharedRun::save(std::vector<SegmentProgress> moved) {
  std::map<std::uint32_t, SegmentProgress> last;  // of each part
  for (SegmentProgress& progress : moved) {
    last.insert_or_assign(progress.segment, std::move(progress));
  }
  moved.clear();
  for (auto& [number, progress] : last) {
    moved.push_back(std::move(progress));
  }
  std::vector<std::uint32_t> lost;
  const auto put = [this, &lost](const SegmentProgress& progress) -> Awaitable<void> {
    std::string sharer = progress.position.complete ? std::string() : name_;
    const bool own = co_await write_own(progress, std::move(sharer));
    if (!own) {
      lost.push_back(progress.segment);
    }
  };
  co_await work_side_by_side(moved, kMaxWritesAtOnce, put);
  co_return lost;
}

Awaitable<void> DynamoDbSharedRun::give_back(std::uint32_t part) {
  const auto held = held_.find(part);
  if (held != held_.end()) {
    SegmentProgress progress = held->second.progress;
    co_await write_own(std::move(progress), {});
  }
}

Awaitable<std::optional<FinishedRun>> DynamoDbSharedRun::finish() {
  RunState state;
  const PartRange all{.first = 0, .count = record().segments};
  std::vector<StoredSegment> segments = co_await parts(all);
  for (StoredSegment& part : segments) {
    state.segments.push_back(std::move(part.progress));
  }
  if (record().finished) {
    co_return record().finished;
  }
  if (!state.complete()) {
    co_return std::nullopt;
  }
  RunRecord finished = record();
  ++finished.version;
  finished.finished = finished_run(state, clock_);
  StoredRecord before{.record = record()};
  before.version = record().version;
  const bool written = co_await run_items_.write_record(finished, std::move(before));
  if (!written) {
    StoredRecord there = co_await run_items_.read_record();
    if (!there.record || there.record->token != record().token || !there.record->finished) {
      throw removed_run(location());
    }
    finished = *std::move(there.record);
  }
  record_ = finished;
  Awaitable<std::vector<std::string>> left = left_by_this_run();
  co_await remove(std::move(left));
  co_return finished.finished;
}

/// Of earlier runs, whose processes were killed before they had removed it.
Awaitable<std::vector<std::string>> DynamoDbSharedRun::left_by_others() {
  std::vector<std::string> names = co_await run_items_.segment_names({});
  std::ranges::move(co_await items_.names(std::string(kSharerPrefix)), std::back_inserter(names));
  const std::string segments = segment_prefix(record().token);
  const std::string sharers = sharer_prefix(record().token);
  std::erase_if(names, [&](const std::string& name) {
    return name.starts_with(segments) || name.starts_with(sharers);
  });
  co_return names;
}

/// It is finished: its record says all.
Awaitable<std::vector<std::string>> DynamoDbSharedRun::left_by_this_run() {
  std::vector<std::string> names = co_await run_items_.segment_names(record().token);
  std::ranges::move(co_await items_.names(sharer_prefix(record().token)),
                    std::back_inserter(names));
  co_return names;
}

Awaitable<void> DynamoDbSharedRun::remove(Awaitable<std::vector<std::string>> names) {
  try {
    std::vector<std::string> listed = co_await std::move(names);
    co_await items_.remove(std::move(listed), {});
  } catch (const Error& error) {
    if (notice_) {
      notice_("could not remove what an earlier run left in the checkpoint: " + error.message());
    }
  }
}

Awaitable<std::vector<Sharer>> DynamoDbSharedRun::sharers() {
  std::vector<Sharer> sharers;
  const std::vector<json::object> items = co_await items_.query(sharer_prefix(record().token));
  sharers.reserve(items.size());
  for (const json::object& item : items) {
    try {
      sharers.push_back(parse_sharer_item(item, record().token, location()));
    } catch (const DamagedCheckpoint& error) {
      // As if it were gone: whoever it is finds out that it has lost its parts.
      if (notice_ && !std::exchange(told_damage_, true)) {
        notice_("ignored an item that is not a sharer: " + error.message());
      }
    }
  }
  co_return sharers;
}

/// Refused, it was written and the answer was lost: nobody else writes this item.
Awaitable<void> DynamoDbSharedRun::tell(Sharer self) {
  json::object values{{":turn", number_attribute(self.turn - 1)}};
  co_await items_.put_if(sharer_item(items_.key(sharer_prefix(record().token) + self.name), self),
                         "attribute_not_exists(#turn) OR #turn <= :turn", std::move(values));
}

Awaitable<void> DynamoDbSharedRun::forget(Sharer seen) {
  json::object values{{":turn", number_attribute(seen.turn)}};
  co_await items_.delete_if(sharer_prefix(record().token) + seen.name, "#turn <= :turn",
                            std::move(values));
}

}  // namespace everyitem::checkpoint
