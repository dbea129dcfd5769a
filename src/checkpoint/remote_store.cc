#include "checkpoint/remote_store.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/unix_time.h"

namespace everyitem::checkpoint {

RemoteStore::RemoteStore(const StoreContext& context)
    : clock_(context.clock), notice_(context.notice), ownership_(*this, context) {}

std::vector<StoredSegment> RemoteStore::unread_segments(std::uint32_t count) const {
  std::vector<StoredSegment> segments;
  for (SegmentProgress& progress : fresh_segments(count)) {
    segments.push_back({.progress = std::move(progress)});
  }
  return segments;
}

StoredSegment& RemoteStore::segment(std::uint32_t number) {
  if (number >= segments_.size()) {
    throw std::logic_error("progress of a segment of no run that was begun or loaded");
  }
  return segments_[number];
}

Awaitable<RemoteStore::ReadRun> RemoteStore::read_run(const RunRecord& record) {
  ReadRun run;
  if (record.finished) {
    run.segments = finished_segments(record);
  } else {
    run.segments = co_await read_segments(record);
  }
  run.state = run_state(record, run.segments, location());
  co_return run;
}

Awaitable<std::optional<RunView>> RemoteStore::look() {
  const StoredRecord there = co_await read_record();
  if (there.damage) {
    throw *there.damage;
  }
  if (!there.record) {
    co_return std::nullopt;
  }
  ReadRun run = co_await read_run(*there.record);
  co_return RunView{.state = std::move(run.state), .owner = owner_of(*there.record)};
}

void RemoteStore::adopt(std::string token, std::vector<StoredSegment> segments) {
  token_ = std::move(token);
  segments_ = std::move(segments);
  segments_changed();
}

Awaitable<std::optional<RunState>> RemoteStore::load() {
  if (!ownership_.owns() && !co_await ownership_.claim()) {
    co_return std::nullopt;
  }
  const RunRecord record = ownership_.record();
  ReadRun run = co_await read_run(record);
  adopt(record.token, std::move(run.segments));
  co_return std::move(run.state);
}

Awaitable<void> RemoteStore::begin(RunState state) {
  if (state.token.empty()) {
    throw std::logic_error("a run that begins needs a token");
  }
  adopt({}, {});  // until the new run's record is there, nothing can be said of either
  RunRecord record{.token = state.token,
                   .segments = static_cast<std::uint32_t>(state.segments.size()),
                   .identity = identity_text(state.identity)};
  co_await ownership_.claim_to_begin();
  // What is removed is what was there before: whoever takes over meanwhile may have begun another.
  std::vector<std::string> left_over = co_await segment_names({});
  co_await ownership_.begin(std::move(record));
  adopt(state.token, unread_segments(static_cast<std::uint32_t>(state.segments.size())));
  try {
    co_await remove(std::move(left_over));
  } catch (const OwnedByAnother&) {
    throw;
  } catch (const Error& error) {
    // They bear another token: the run has begun all the same.
    if (notice_) {
      notice_("could not remove what an earlier run left in the checkpoint: " + error.message());
    }
  }
  std::vector<SegmentProgress> moved;
  std::ranges::copy_if(state.segments, std::back_inserter(moved), [this](const auto& progress) {
    return progress != segment(progress.segment).progress;
  });
  if (!moved.empty()) {
    co_await save(std::move(moved));
    co_await flush();
  }
}

Awaitable<std::string> RemoteStore::hand_over() {
  co_await flush();
  co_return co_await ownership_.hand_over();
}

Awaitable<void> RemoteStore::release() {
  RunState state;
  for (const StoredSegment& segment : segments_) {
    state.segments.push_back(segment.progress);
  }
  std::optional<FinishedRun> finished;
  if (!segments_.empty() && state.complete() && all_is_written()) {
    finished = finished_run(state, clock_);
  }
  if (co_await ownership_.release(token_, finished)) {
    std::vector<std::string> names = co_await segment_names(token_);
    co_await remove(std::move(names));
  }
}

}  // namespace everyitem::checkpoint
