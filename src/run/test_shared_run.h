// For tests: a shared run in memory, as processes see it that can be stopped and cut off.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/run_record.h"
#include "checkpoint/shared_run.h"
#include "support/simulated_clock.h"

namespace everyitem::run {

/// What is in the table of checkpoints.
struct TableOfCheckpoints {
  std::optional<checkpoint::RunRecord> record;
  std::map<std::uint32_t, checkpoint::StoredSegment> parts;
  std::map<std::string, checkpoint::Sharer> sharers;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
};

/// A process's clock: while it is stopped, it does nothing, and time passes.
class StoppableClock final : public Clock {
 public:
  explicit StoppableClock(SimulatedClock& clock) : clock_(clock) {}

  std::chrono::system_clock::time_point wall_now() const override {
    return clock_.wall_now() + wrong_by;
  }
  std::chrono::steady_clock::time_point now() const override { return clock_.now(); }
  Awaitable<void> sleep(std::chrono::nanoseconds duration) override {
    co_await clock_.sleep(duration);
    while (clock_.now() < stopped_until) {
      co_await clock_.sleep(stopped_until - clock_.now());
    }
  }
  std::unique_ptr<Timer> make_timer(const asio::any_io_executor& executor,
                                    std::function<void()> ring) override {
    return clock_.make_timer(executor, std::move(ring));
  }

  std::chrono::steady_clock::time_point stopped_until;
  std::chrono::hours wrong_by{0};

 private:
  SimulatedClock& clock_;
};

/// A process's way there, which takes time, and can be cut off.
class SimulatedSharedRun final : public checkpoint::SharedRun {
 public:
  SimulatedSharedRun(TableOfCheckpoints& table, std::string name, StoppableClock& clock,
                     Random& random)
      : table_(table), name_(std::move(name)), clock_(clock), random_(random) {}

  Awaitable<std::optional<checkpoint::RunRecord>> join() override {
    co_await reading();
    record_ = table_.record;
    co_await answering();
    co_return record_;
  }
  Awaitable<bool> begin(checkpoint::RunState state) override {
    co_await writing();
    const bool begun = !table_.record;
    if (begun) {
      record_ = checkpoint::RunRecord{.token = state.token,
                                      .version = 1,
                                      .segments = static_cast<std::uint32_t>(state.segments.size()),
                                      .identity = checkpoint::identity_text(state.identity),
                                      .shared = true};
      table_.record = record_;
      for (const checkpoint::SegmentProgress& part : state.segments) {
        table_.parts[part.segment] = {.progress = part, .version = 1};
      }
    }
    co_await answering();
    co_return begun;
  }
  Awaitable<std::vector<checkpoint::StoredSegment>> parts(checkpoint::PartRange range) override {
    co_await reading();
    std::vector<checkpoint::StoredSegment> parts;
    for (const auto& [number, part] : table_.parts) {
      if (number >= range.first && number - range.first < range.count) {
        parts.push_back(part);
      }
    }
    record_ = table_.record;
    co_await answering();
    co_return parts;
  }
  Awaitable<std::optional<checkpoint::StoredSegment>> claim(
      checkpoint::StoredSegment seen) override {
    checkpoint::StoredSegment wanted = seen;
    wanted.sharer = name_;
    ++wanted.version;
    const bool written = co_await write(seen.version, wanted);
    if (!written) {
      co_return std::nullopt;
    }
    held_[wanted.progress.segment] = wanted;
    co_return wanted;
  }
  Awaitable<std::vector<std::uint32_t>> save(
      std::vector<checkpoint::SegmentProgress> moved) override {
    std::vector<std::uint32_t> lost;
    for (const checkpoint::SegmentProgress& progress : moved) {
      const std::string sharer = progress.position.complete ? "" : name_;
      const bool own = co_await write_own(progress, sharer);
      if (!own) {
        lost.push_back(progress.segment);
      }
    }
    co_return lost;
  }
  Awaitable<void> give_back(std::uint32_t part) override {
    if (held_.contains(part)) {
      const checkpoint::SegmentProgress progress = held_.at(part).progress;
      co_await write_own(progress, "");
    }
  }
  Awaitable<std::optional<checkpoint::FinishedRun>> finish() override {
    co_await writing();
    std::optional<checkpoint::FinishedRun> finished = table_.record->finished;
    if (!finished && std::ranges::all_of(table_.parts, [](const auto& part) {
          return part.second.progress.position.complete;
        })) {
      finished.emplace();
      table_.record->finished = finished;
      table_.parts.clear();
      table_.sharers.clear();
    }
    co_await answering();
    co_return finished;
  }
  Awaitable<std::vector<checkpoint::Sharer>> sharers() override {
    co_await reading();
    std::vector<checkpoint::Sharer> sharers;
    for (const auto& [name, sharer] : table_.sharers) {
      sharers.push_back(sharer);
    }
    co_await answering();
    co_return sharers;
  }
  Awaitable<void> tell(checkpoint::Sharer self) override {
    co_await writing();
    checkpoint::Sharer& there = table_.sharers[self.name];
    if (there.turn < self.turn) {
      there = self;
    }
    co_await answering();
  }
  Awaitable<void> forget(checkpoint::Sharer seen) override {
    co_await writing();
    const auto there = table_.sharers.find(seen.name);
    if (there != table_.sharers.end() && there->second.turn <= seen.turn) {
      table_.sharers.erase(there);
    }
    co_await answering();
  }
  std::string location() const override { return "dynamodb:checkpoints/nightly"; }

  std::chrono::steady_clock::time_point cut_off_until;

 private:
  Awaitable<void> travel() {
    co_await clock_.sleep(std::chrono::milliseconds(1 + static_cast<int>(random_.bits() % 10)));
    while (clock_.now() < cut_off_until) {
      co_await clock_.sleep(cut_off_until - clock_.now());
    }
  }
  Awaitable<void> reading() {
    ++table_.reads;
    return travel();
  }
  Awaitable<void> writing() {
    ++table_.writes;
    return travel();
  }
  Awaitable<void> answering() { return travel(); }

  Awaitable<bool> write(std::uint64_t version, checkpoint::StoredSegment wanted) {
    co_await writing();
    const auto there = table_.parts.find(wanted.progress.segment);
    const bool written = there != table_.parts.end() && there->second.version == version;
    if (written) {
      there->second = wanted;
    }
    co_await answering();
    co_return written;
  }
  Awaitable<bool> write_own(checkpoint::SegmentProgress progress, std::string sharer) {
    const auto held = held_.find(progress.segment);
    if (held == held_.end()) {
      co_return false;
    }
    const std::uint64_t version = held->second.version;
    checkpoint::StoredSegment wanted{
        .progress = progress, .version = version + 1, .sharer = sharer};
    const bool written = co_await write(version, wanted);
    if (written && !sharer.empty()) {
      held_[progress.segment] = wanted;
    } else {
      held_.erase(progress.segment);
    }
    co_return written;
  }

  TableOfCheckpoints& table_;
  std::string name_;
  StoppableClock& clock_;
  Random& random_;
  std::optional<checkpoint::RunRecord> record_;
  std::map<std::uint32_t, checkpoint::StoredSegment> held_;
};

}  // namespace everyitem::run
