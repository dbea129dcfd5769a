#include "checkpoint/run_ownership.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"
#include "checkpoint/lease.h"

namespace everyitem::checkpoint {

namespace {

/// How often a write that was refused is tried again, each time on what is there by then: an
/// earlier write of this process, the answer to which was lost, may have come in between.
constexpr int kMaxWrites = 4;

/// How often a record that seems older than what this process has written is read again: nothing
/// says that a read of Parameter Store sees the last write.
constexpr int kMaxReads = 4;

std::string hand_over_text(const RunRecord& record) {
  return fmt::format("{}:{}", record.token, record.generation);
}

/// Of a record that was watched; the time follows.
std::string watch_text(const RunRecord& record) {
  return fmt::format("watched:{}:{}:", record.token, record.version);
}

}  // namespace

RunOwnership::RunOwnership(RunRecords& records, const StoreContext& context)
    : records_(records),
      clock_(context.clock),
      owner_(context.owner.substr(0, kMaxOwnerBytes)),
      handed_over_(context.handed_over),
      notice_(context.notice) {}

bool RunOwnership::is_own(const std::optional<RunRecord>& record) const {
  return record && record->owned && record->owner == owner_ && record->generation == generation_;
}

bool RunOwnership::is_handed_over(const RunRecord& record) const {
  return !handed_over_.empty() && hand_over_text(record) == handed_over_;
}

/// How long the process that passed on its watch saw the owner of this very record write nothing.
std::chrono::milliseconds RunOwnership::watched_before(const RunRecord& record) const {
  std::string_view text = handed_over_;
  const std::string begin = watch_text(record);
  std::int64_t milliseconds = 0;
  if (text.starts_with(begin)) {
    text.remove_prefix(begin.size());
    std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  }
  return std::clamp<std::chrono::milliseconds>(std::chrono::milliseconds(milliseconds), {}, kLease);
}

void RunOwnership::become_owner_of(RunRecord& record) const {
  record.owner = owner_;
  record.owned = true;
  record.renewed_at = seconds_now(clock_);
}

void RunOwnership::written(RunRecord record, std::chrono::steady_clock::time_point asked_at) {
  stored_ = {.record = std::move(record)};
  stored_.version = stored_.record->version;
  owned_ = stored_.record->owned;
  renewed_at_ = asked_at;
}

Awaitable<bool> RunOwnership::claim() {
  watched_.reset();
  for (;;) {
    StoredRecord there = co_await records_.read_record();
    const auto now = clock_.now();
    stored_ = there;
    if (there.damage) {
      throw *there.damage;
    }
    if (!there.record) {
      co_return false;
    }
    if (there.record->shared && !there.record->finished) {
      throw shared_otherwise(records_.record_location(), true);
    }
    if (is_own(there.record)) {  // by a write whose answer was lost
      owned_ = true;
      co_return true;
    }
    if (there.record->owned && !is_handed_over(*there.record)) {
      if (!watched_) {
        watched_ = there.record;
        watched_since_ = now - watched_before(*there.record);
        if (notice_) {
          notice_(fmt::format("waiting up to {} for the lease of {}", duration(kLease),
                              there.record->owner));
        }
      }
      if (watched_ != there.record) {
        watched_.reset();
        throw owned_by_another(records_.record_location(), there.record->owner);
      }
      if (now - watched_since_ < kLease) {
        co_await clock_.sleep(kLookInterval);
        continue;
      }
    }
    RunRecord wanted = *there.record;
    ++wanted.version;
    ++wanted.generation;
    become_owner_of(wanted);
    may_own_ = true;
    generation_ = wanted.generation;
    renewed_at_ = now;
    if (co_await records_.write_record(wanted, std::move(there))) {
      watched_.reset();
      written(std::move(wanted), now);
      co_return true;
    }
  }
}

Awaitable<void> RunOwnership::claim_to_begin() {
  if (owned_) {
    co_return;
  }
  try {
    co_await claim();
  } catch (const DamagedCheckpoint&) {
    owned_ = false;
  }
}

Awaitable<void> RunOwnership::begin(RunRecord run) {
  for (int writes = 0; writes < kMaxWrites; ++writes) {
    run.version = stored_.version + 1;
    run.generation = owned_ ? stored_.record->generation : 1;
    become_owner_of(run);
    may_own_ = true;
    generation_ = run.generation;
    const auto now = clock_.now();
    renewed_at_ = now;
    if (co_await records_.write_record(run, stored_)) {
      written(std::move(run), now);
      co_return;
    }
    stored_ = co_await read_after_refusal();
    if (stored_.record == run) {  // it was written, and the answer was lost
      written(std::move(run), now);
      co_return;
    }
    if (stored_.record && !is_own(stored_.record)) {
      break;
    }
    owned_ = stored_.record.has_value();
  }
  owned_ = false;
  throw owned_by_another(records_.record_location(),
                         stored_.record ? stored_.record->owner : "unknown");
}

/// What is there now. Older than what this process knows of, or gone: read again, lest a stale read
/// ends the run.
Awaitable<StoredRecord> RunOwnership::read_after_refusal() {
  StoredRecord there = co_await records_.read_record();
  for (int reads = 1; there.version < stored_.version && reads < kMaxReads; ++reads) {
    co_await clock_.sleep(kLookInterval);
    there = co_await records_.read_record();
  }
  co_return there;
}

/// Writes the record that this process owns as `change` makes it.
Awaitable<void> RunOwnership::change_own(Change change) {
  for (int writes = 0; writes < kMaxWrites; ++writes) {
    RunRecord wanted = record();
    ++wanted.version;
    wanted.renewed_at = seconds_now(clock_);
    change(wanted);
    const auto now = clock_.now();
    if (co_await records_.write_record(wanted, stored_)) {
      written(std::move(wanted), now);
      co_return;
    }
    StoredRecord there = co_await read_after_refusal();
    if (there.record == wanted) {  // it was written, and the answer was lost
      written(std::move(wanted), now);
      co_return;
    }
    if (!is_own(there.record)) {
      owned_ = false;
      may_own_ = false;
      throw taken_over(records_.record_location(), there.record);
    }
    stored_ = std::move(there);
  }
  throw Error(ErrorKind::failed, {.operation = "write",
                                  .object = "checkpoint " + records_.record_location(),
                                  .code = {},
                                  .message = "its record is refused again and again",
                                  .hint = {}});
}

/// One renewal at a time.
class RunOwnership::Renewing {
 public:
  explicit Renewing(RunOwnership& ownership) : ownership_(ownership) {
    ownership_.renewing_ = true;
  }
  ~Renewing() {
    ownership_.renewing_ = false;
    ownership_.renewed_->notify_all();
  }
  Renewing(const Renewing&) = delete;
  Renewing& operator=(const Renewing&) = delete;

 private:
  RunOwnership& ownership_;
};

Awaitable<void> RunOwnership::renew() {
  const Renewing renewing(*this);
  const Change nothing_else = [](RunRecord& /*record*/) {};
  co_await change_own(nothing_else);
}

Awaitable<void> RunOwnership::renew_if_due() {
  if (!renewed_) {
    renewed_.emplace(co_await asio::this_coro::executor);
  }
  while (renewing_) {
    co_await renewed_->wait();
  }
  // Until its lease ends nobody else can own the run: only then it has to be asked for.
  if (owned_ && clock_.now() - renewed_at_ >= kLeaseRenewal) {
    co_await renew();
  }
}

Awaitable<void> RunOwnership::require() {
  if (!renewed_) {
    renewed_.emplace(co_await asio::this_coro::executor);
  }
  while (renewing_) {
    co_await renewed_->wait();
  }
  if (!owned_) {
    throw taken_over(records_.record_location(), stored_.record);
  }
  co_await renew();
}

Awaitable<std::string> RunOwnership::hand_over() {
  if (!owned_) {
    const auto watched =
        std::chrono::floor<std::chrono::milliseconds>(clock_.now() - watched_since_);
    co_return watched_ ? watch_text(*watched_) + std::to_string(watched.count()) : std::string();
  }
  const Change nothing_else = [](RunRecord& /*record*/) {};
  co_await change_own(nothing_else);
  owned_ = false;
  may_own_ = false;
  generation_ = 0;  // what is there now is the next owner's
  co_return hand_over_text(record());
}

Awaitable<bool> RunOwnership::release(std::string token, std::optional<FinishedRun> finished) {
  if (!owned_ && may_own_) {
    stored_ = co_await records_.read_record();
    owned_ = is_own(stored_.record);
  }
  if (!owned_) {
    may_own_ = false;
    co_return false;
  }
  const Change give_up = [&token, &finished](RunRecord& record) {
    record.owned = false;
    if (finished && record.token == token && !record.finished) {
      record.finished = finished;
    }
  };
  co_await change_own(give_up);
  owned_ = false;
  may_own_ = false;
  co_return finished&& record().finished == finished;
}

}  // namespace everyitem::checkpoint
