// Who owns a run in a remote store: claimed, renewed, handed over, released.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/run_record.h"

namespace everyitem::checkpoint {

/// What is where a run's record belongs.
struct StoredRecord {
  std::optional<RunRecord> record = {};
  std::optional<DamagedCheckpoint> damage =
      {};                     ///< why there is no record, when something is there
  std::uint64_t version = 0;  ///< of either, as far as it can be read
};

/// Where a store keeps the record of a run. Calls throw Error, after which a write may have been
/// done, or may yet be.
class RunRecords {
 public:
  RunRecords() = default;
  RunRecords(const RunRecords&) = delete;
  RunRecords& operator=(const RunRecords&) = delete;
  virtual ~RunRecords() = default;

  virtual Awaitable<StoredRecord> read_record() = 0;
  /// Puts `record`, whose version is one more, in the place of `before`, if that is still what is
  /// there. False when it is not, or when the answer to this very write was lost: read
  /// again what is there.
  virtual Awaitable<bool> write_record(RunRecord record, StoredRecord before) = 0;
  virtual std::string record_location() const = 0;  ///< for messages
};

/// One process's part in it. Every write is conditional on the version that was read last, so one
/// that lands late is refused. A lease is judged on the reader's own monotonic clock: an owner
/// that was seen to write nothing for kLease is gone, whatever the wall clocks say. One event loop;
/// one call at a time, except `renew_if_due`. Calls throw Error, and OwnedByAnother.
class RunOwnership {
 public:
  /// `records` outlives it.
  RunOwnership(RunRecords& records, const StoreContext& context);

  bool owns() const { return owned_; }
  /// The run's record as this process has last read or written it.
  const RunRecord& record() const { return stored_.record.value(); }

  /// Makes this process the owner of the run that is there; false when there is none. Waits for the
  /// lease of an owner that has gone silent. Throws DamagedCheckpoint when what is there cannot be
  /// read.
  Awaitable<bool> claim();
  /// Before `begin`: claims what is there, if anything is. Damage is left for `begin` to replace.
  Awaitable<void> claim_to_begin();
  /// Writes `run` (its token, segments and identity) as the run that is there, owned by this
  /// process.
  Awaitable<void> begin(RunRecord run);
  /// Renews the lease when that is due.
  Awaitable<void> renew_if_due();
  /// Makes sure that this process still owns the run.
  Awaitable<void> require();
  /// What `claim` of the next owner takes (StoreContext::handed_over): the run, or, when `claim`
  /// was cancelled, for how long the owner has been silent. Empty when there is neither.
  Awaitable<std::string> hand_over();
  /// Gives up what this process owns, or may own by a write whose answer was lost. The run with
  /// `token` is written as finished, when that is given: true when it was.
  Awaitable<bool> release(std::string token, std::optional<FinishedRun> finished);

 private:
  using Change = std::function<void(RunRecord&)>;
  class Renewing;

  bool is_own(const std::optional<RunRecord>& record) const;
  bool is_handed_over(const RunRecord& record) const;
  std::chrono::milliseconds watched_before(const RunRecord& record) const;
  void become_owner_of(RunRecord& record) const;
  Awaitable<void> change_own(Change change);
  Awaitable<StoredRecord> read_after_refusal();
  Awaitable<void> renew();
  void written(RunRecord record, std::chrono::steady_clock::time_point asked_at);

  RunRecords& records_;
  Clock& clock_;
  std::string owner_;
  std::string handed_over_;
  Notice notice_;
  StoredRecord stored_;
  std::optional<RunRecord> watched_;  ///< another's, by `claim`
  std::chrono::steady_clock::time_point watched_since_;
  bool owned_ = false;
  bool may_own_ = false;          ///< a write that makes this process the owner was sent
  std::uint64_t generation_ = 0;  ///< which it had then
  std::chrono::steady_clock::time_point renewed_at_;
  bool renewing_ = false;
  std::optional<Event> renewed_;
};

}  // namespace everyitem::checkpoint
