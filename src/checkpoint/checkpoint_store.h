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
#include "source/worker_part.h"

namespace everyitem::checkpoint {

/// One setting that makes a run the run that it is: "table", "filter", ...
struct IdentityPart {
  std::string name;
  std::string value;

  friend bool operator==(const IdentityPart&, const IdentityPart&) = default;
};

using RunIdentity = std::vector<IdentityPart>;

/// Of a run that begins. Those that other workers read are complete from the first, with nothing of
/// them delivered.
std::vector<SegmentProgress> fresh_segments(std::uint32_t count, source::WorkerPart part = {});

/// A run as a store has it: one entry a segment, by number, so their count is TotalSegments.
struct RunState {
  RunIdentity identity;
  std::vector<SegmentProgress> segments;

  bool complete() const;
  std::uint64_t items() const;
  std::uint64_t bytes() const;
  std::uint64_t dead_letters() const;
};

/// For the user, one line for each part that differs: "filter: was "a = b", is now none". Empty
/// when the identities are the same.
std::vector<std::string> differences(const RunIdentity& stored, const RunIdentity& wanted);

/// Another process owns the run, or has taken it over. A type of its own, since for who was started
/// twice (a Lambda function) it is an end and no failure.
class OwnedByAnother : public Error {
 public:
  using Error::Error;
};

/// One run's progress. Used from one event loop, one call at a time but for `keep`. All calls throw
/// Error, and OwnedByAnother when the run is not this process's, or not any more. Every backend
/// passes the conformance suite in checkpoint_store_conformance.h.
class CheckpointStore {
 public:
  CheckpointStore() = default;
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;
  virtual ~CheckpointStore() = default;

  /// The run that is there, which this process owns from then on, or nothing.
  virtual Awaitable<std::optional<RunState>> load() = 0;
  /// Begins a run in place of whatever is there, and owns it. Killed meanwhile, the run that was
  /// there before is whole, or the new one has begun.
  virtual Awaitable<void> begin(RunState state) = 0;
  /// Takes the progress of some of the run's segments. On return it survives the end of the
  /// process, but for a store whose writes are scarce, which may write it later (`keep`, `flush`).
  /// After a failure each segment is where it was, or where it has moved to.
  virtual Awaitable<void> save(std::vector<SegmentProgress> moved) = 0;
  /// Does, beside the other calls, what is due by time alone: says that the process is still there,
  /// and writes what `save` has put off. Ends when it is cancelled, or at once where nothing is.
  virtual Awaitable<void> keep() { co_return; }
  /// Writes what `save` has put off; not while `keep` runs.
  virtual Awaitable<void> flush() { co_return; }
  /// Gives the run up, so that the next process need not wait until this one is known to be gone.
  /// The last call; does nothing when this process owns no run.
  virtual Awaitable<void> release() { co_return; }

  /// For messages and for the command that resumes: what --checkpoint takes; empty for none.
  virtual std::string location() const = 0;
  /// The local file that it is, so that others can be put beside it; empty where it is none.
  virtual std::string file() const { return {}; }
};

/// What stores need from outside. All that it refers to outlives the store.
struct StoreContext {
  Clock& clock;
  /// Says to others who owns the run. No two processes have the same. No secret; cut off at 200
  /// characters.
  std::string owner;
  aws::RetryLimits limits;
  /// SSM alone. Not empty: parameters are SecureString, under this KMS key (an id, ARN or alias).
  std::string kms_key;
  /// SSM alone: the least time between two writes of a parameter; nothing: kParameterInterval.
  std::optional<std::chrono::seconds> interval;
  /// DynamoDB alone. Where workers share a run, the one whose store it is: what the others read is
  /// not in it.
  source::WorkerPart part = {};
  /// The client of a service. `region` is that of an ARN; empty for the scanned table's.
  std::function<aws::Client&(const aws::ServiceModel& service, const std::string& region)> client;
};

/// Opens what --checkpoint names: "sqlite:PATH" or a path, a SQLite file; "ssm:/PREFIX", parameters
/// of SSM Parameter Store; "dynamodb:TABLE", "dynamodb:TABLE/RUN" or the same with the table's ARN,
/// items of a table; "none", nothing is kept. Throws a usage error for another kind. Throws Error
/// when a file cannot be opened, is not a checkpoint, or belongs to a process that runs; what is
/// not a file is asked for when it is loaded.
std::unique_ptr<CheckpointStore> open_checkpoint_store(const std::string& location,
                                                       const StoreContext& context);

/// The file that a run has when the user names none:
/// STATE_HOME/everyitem/TABLE--DESTINATION--HASH.sqlite, where the hash tells apart what has the
/// same names in another account, region or folder. `key` is all that tells runs apart.
std::string default_checkpoint_path(std::string_view state_home, std::string_view table,
                                    std::string_view destination, std::string_view key);

}  // namespace everyitem::checkpoint
