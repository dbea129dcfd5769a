// Where a run's progress is kept, so that it survives the process.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/error.h"
#include "checkpoint/ack_tracker.h"

namespace everyitem::checkpoint {

/// One setting that makes a run the run that it is: "table", "filter", ...
struct IdentityPart {
  std::string name;
  std::string value;

  friend bool operator==(const IdentityPart&, const IdentityPart&) = default;
};

using RunIdentity = std::vector<IdentityPart>;

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

/// One run's progress. Used from one event loop, one call at a time. All calls throw Error; after a
/// failed `save` what was saved before is still there. Every backend passes the conformance suite
/// in checkpoint_store_conformance.h.
class CheckpointStore {
 public:
  CheckpointStore() = default;
  CheckpointStore(const CheckpointStore&) = delete;
  CheckpointStore& operator=(const CheckpointStore&) = delete;
  virtual ~CheckpointStore() = default;

  /// The run that is there, or nothing.
  virtual Awaitable<std::optional<RunState>> load() = 0;
  /// Begins a run in place of whatever is there.
  virtual Awaitable<void> begin(RunState state) = 0;
  /// Writes the progress of some of the run's segments, all or none. On return it survives the end
  /// of the process.
  virtual Awaitable<void> save(std::vector<SegmentProgress> moved) = 0;

  /// For messages and for the command that resumes: what --checkpoint takes; empty for none.
  virtual std::string location() const = 0;
};

/// Opens what --checkpoint names: "sqlite:PATH" or a path, a SQLite file; "none", nothing is kept.
/// Throws a usage error for another kind, OwnedByAnother when it belongs to a process that runs,
/// and Error when it cannot be opened or is not a checkpoint.
std::unique_ptr<CheckpointStore> open_checkpoint_store(const std::string& location);

/// The file that a run has when the user names none:
/// STATE_HOME/everyitem/TABLE--DESTINATION--HASH.sqlite, where the hash tells apart what has the
/// same names in another account, region or folder. `key` is all that tells runs apart.
std::string default_checkpoint_path(std::string_view state_home, std::string_view table,
                                    std::string_view destination, std::string_view key);

}  // namespace everyitem::checkpoint
