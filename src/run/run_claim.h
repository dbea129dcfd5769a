// A run as the process that works on it has it: where it stands, which parts it may read, and how
// it is given up. Claimed before anything is read, begun before anything is delivered, released at
// the end.
#pragma once

#include <optional>
#include <string>

#include "base/async.h"
#include "base/message.h"
#include "checkpoint/checkpoint_store.h"
#include "pipeline/run_parts.h"
#include "run/reading.h"

namespace everyitem::run {

/// Used from one event loop, one call at a time except `keep`: `claim`; `begin` if there is nothing
/// to resume; `enter`; `keep`, while the parts are read; `release` or `hand_over`, whatever has
/// failed.
class RunClaim {
 public:
  RunClaim() = default;
  RunClaim(const RunClaim&) = delete;
  RunClaim& operator=(const RunClaim&) = delete;
  virtual ~RunClaim() = default;

  /// Lets this process work on the run. Returns the run's state if it resumes or is complete;
  /// nothing if a new one begins, or none is to begin. Throws Error, OwnedByAnother when another
  /// process has the run to itself.
  virtual Awaitable<std::optional<checkpoint::RunState>> claim() = 0;
  /// Of the run that was there and that the new one takes the place of; empty if there was none, or
  /// it cannot be read.
  virtual std::string replaced_token() const = 0;
  /// Begins a run in place of what `claim` found. On return its record is durable. Returns the run
  /// that is there: this one, or one that another process has begun meanwhile.
  virtual Awaitable<checkpoint::RunState> begin(checkpoint::RunState state) = 0;

  /// Those of the run that is resumed or has begun.
  virtual pipeline::RunParts& parts() = 0;
  /// Before the first part is read.
  virtual Awaitable<void> enter(Reading reading) = 0;
  /// What this process does to keep the run while it reads, until it is cancelled.
  virtual Awaitable<void> keep() = 0;
  /// The default read rate is not kept, since pages do not say what they cost.
  virtual void drop_rate() = 0;

  /// Gives the run up, so that the next process need not wait until this one is known to be gone.
  /// Throws nothing but what `notice` throws.
  virtual Awaitable<void> release(const Notice& notice) = 0;
  /// Leaves the run to the process that presents the text that is returned, instead of releasing
  /// it. Empty if that cannot be; then it is released.
  virtual Awaitable<std::string> hand_over(const Notice& notice) = 0;

  /// Whether there is nothing that this process could read, because others do.
  virtual bool is_idle() const = 0;
  /// Whether anything of the progress is durable.
  virtual bool has_written() const = 0;
  /// What the whole run comes to, when several processes share it; nothing while it is not
  /// complete, and if this process did all of it.
  virtual std::optional<checkpoint::SegmentProgress> totals() const = 0;

  /// As CheckpointStore.
  virtual std::string location() const = 0;
  virtual std::string file() const = 0;
};

}  // namespace everyitem::run
