// Where a run's progress is kept, so that it survives the process.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/client.h"
#include "aws/retry.h"
#include "base/async.h"
#include "base/clock.h"
#include "base/error.h"
#include "checkpoint/ack_tracker.h"
#include "checkpoint/checkpoint_location.h"

namespace everyitem::checkpoint {

/// One setting that makes a run the run that it is: "table", "filter", ...
struct IdentityPart {
  std::string name;
  std::string value;
  /// A service says it, or may not be asked: then it is empty, which is not stored as another
  /// value.
  bool reported = false;

  friend bool operator==(const IdentityPart&, const IdentityPart&) = default;
};

using RunIdentity = std::vector<IdentityPart>;

/// Of a run that begins.
std::vector<SegmentProgress> fresh_segments(std::uint32_t count);

/// 128 random bits in hexadecimal: what tells a run from every other, its own restart included.
std::string new_run_token();

/// A run as a store has it: one entry per segment, by number, so their count is TotalSegments.
struct RunState {
  RunIdentity identity;
  std::vector<SegmentProgress> segments;
  /// Whether `segments` say how far each is; otherwise there are only as many as the run has.
  bool knows_progress = true;
  /// As new_run_token makes it. Each record of the run bears it; what bears another is not the
  /// run's.
  std::string token = {};
  /// When the last segment was complete; nothing while one is not, or if that is not known.
  std::optional<std::chrono::system_clock::time_point> finished_at = {};

  bool complete() const;
  std::uint64_t items() const;
  std::uint64_t bytes() const;
  std::uint64_t dead_letters() const;
};

/// Who owns a run, as far as the store knows.
struct RunOwner {
  std::string name;
  /// When it last said that it is there, by its own clock; nothing when the store does not record
  /// that.
  std::optional<std::chrono::system_clock::time_point> renewed_at = {};
};

/// A run as somebody sees it who does not own it.
struct RunView {
  RunState state;
  std::optional<RunOwner> owner = {};  ///< nothing when nobody owns the run
};

/// For the user, one line for each part that differs: "filter: was "a = b", is now none". Empty
/// when the identities are the same. What was not reported to `stored` differs from nothing; what
/// is not reported to `wanted` any more may be another, and differs.
std::vector<std::string> differences(const RunIdentity& stored, const RunIdentity& wanted);

/// Another process owns the run, or has taken it over. A type of its own: for a process that was
/// started twice (a Lambda function) this is an end, not a failure.
class OwnedByAnother : public Error {
 public:
  using Error::Error;
};

/// What is at the location is a checkpoint that cannot be read: it is damaged, or its format is
/// older. `begin` starts over in its place.
class DamagedCheckpoint : public Error {
 public:
  using Error::Error;
};

/// One run's progress. Used from one event loop, one call at a time except `maintain`. All calls
/// throw Error, and OwnedByAnother when the run does not belong to this process, or no longer does.
/// Every backend passes the conformance suite in checkpoint_store_conformance.h.
class CheckpointStore {
 public:
  CheckpointStore() = default;
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;
  virtual ~CheckpointStore() = default;

  /// The run that is there and its owner, or nothing. Owns nothing and writes nothing.
  virtual Awaitable<std::optional<RunView>> look() = 0;
  /// The run that is there, which this process owns from then on, or nothing. When its owner has
  /// gone silent, waits until that is certain; throws OwnedByAnother as soon as the owner is seen
  /// to be there. Throws DamagedCheckpoint when what is there cannot be read.
  virtual Awaitable<std::optional<RunState>> load() = 0;
  /// Begins a run in place of whatever is there, and owns it. When it fails, or the process is
  /// killed, the run that was there before is whole, or the new one has begun.
  virtual Awaitable<void> begin(RunState state) = 0;
  /// Takes the progress of some of the run's segments. On return it survives the end of the
  /// process; a store whose writes are scarce may write it later (`maintain`, `flush`). After a
  /// failure each segment is where it was, or where it has moved to.
  virtual Awaitable<void> save(std::vector<SegmentProgress> moved) = 0;
  /// Does, while other calls run, what is due by time alone: says that the process is still there,
  /// and writes what `save` has put off. Ends when it is cancelled, or at once when there is
  /// nothing to do.
  virtual Awaitable<void> maintain() { co_return; }
  /// Whether anything that `save` took is written by now, where it may write later.
  virtual bool has_written() const { return true; }
  /// Writes what `save` has put off; not while `maintain` runs.
  virtual Awaitable<void> flush() { co_return; }
  /// Leaves the run to whoever presents the text that is returned (StoreContext::handed_over): it
  /// owns the run without waiting. When `load` was cancelled while it waited for an owner that has
  /// gone silent, the text spares the next process what has been waited. Empty when there is
  /// nothing to hand over. `release` does nothing afterwards.
  virtual Awaitable<std::string> hand_over() { co_return std::string(); }
  /// Gives the run up, so that the next process need not wait until this one is known to be gone.
  /// Says of the run only what this object itself has written. The last call, also after another
  /// has failed; does nothing when this process owns no run.
  virtual Awaitable<void> release() { co_return; }

  /// For messages and for the command that resumes: what --checkpoint takes; empty for none.
  virtual std::string location() const = 0;
  /// The local file that it is, so that others can be put next to it; empty when it is not a file.
  virtual std::string file() const { return {}; }
};

/// What stores need from outside. All that it refers to outlives the store.
struct StoreContext {
  Clock& clock;
  /// Tells others who owns the run. No two processes have the same. Not secret; cut off at 200
  /// characters.
  std::string owner;
  /// SSM only. When not empty, parameters are SecureString under this KMS key (an id, ARN or
  /// alias).
  std::string kms_key;
  /// SSM only: the least time between two writes of a parameter; nothing: kParameterInterval.
  std::optional<std::chrono::seconds> interval;
  /// The client of a service. `region` is that of an ARN; empty for the scanned table's.
  std::function<aws::Client&(const aws::ServiceModel& service, const std::string& region)> client;
  /// Told to the user: what a call waits for. One line.
  Notice notice = {};
  /// What `hand_over` of the previous owner returned; empty when there was none.
  std::string handed_over = {};
};

/// Opens the store at a location. Connects to nothing and reads nothing yet, except that a file is
/// opened: throws Error when it cannot be, is not a checkpoint, or belongs to a process that runs.
std::unique_ptr<CheckpointStore> open_checkpoint_store(const CheckpointLocation& location,
                                                       const StoreContext& context);

/// The file that a run has when the user names none:
/// STATE_HOME/everyitem/TABLE--DESTINATION--HASH.sqlite, where the hash tells apart what has the
/// same names in another account, region or folder. `key` is all that tells runs apart.
std::string default_checkpoint_path(std::string_view state_home, std::string_view table,
                                    std::string_view destination, std::string_view key);

}  // namespace everyitem::checkpoint
