// Whose run it is and where it stands: claimed before anything is read, begun before anything is
// delivered, released at the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "checkpoint/checkpoint_store.h"
#include "pace/read_gate.h"
#include "run/fleet.h"
#include "run/run_stores.h"
#include "run/scan_settings.h"
#include "source/worker_part.h"

namespace everyitem::run {

/// What the user asks of the run that is claimed.
struct RunTerms {
  checkpoint::RunIdentity identity;
  /// What all workers have in common of it.
  checkpoint::RunIdentity shared_identity;
  std::optional<std::uint32_t> parts;  ///< nothing: as the run has it, or as is chosen
  source::WorkerPart worker;           ///< which of them this process reads
  bool restart = false;
  /// When the restart was asked for, in milliseconds since 1970; nothing: it always starts over.
  std::optional<std::int64_t> restart_asked_at = {};
  bool only_resumes = false;  ///< begins nothing
};

/// A client that was not answered asks again. A restart asked for this soon after the one that
/// began the run is the same, as long as the run is not complete.
inline constexpr std::chrono::minutes kSameRestart{5};

/// What a run that a restart has begun remembers of it, as a part of its identity that is not
/// compared; nothing when the terms do not say when it was asked for.
checkpoint::RunIdentity restart_mark(const RunTerms& terms);
/// Whether the restart that the terms ask for has begun `state` already.
bool is_same_restart(const checkpoint::RunState& state, const RunTerms& terms);

/// One line for each of the terms that `state` goes against: "filter: was none, is now "a = :b"".
std::vector<std::string> changed_terms(const checkpoint::RunState& state, const RunTerms& terms);

/// The run to resume from what is `stored` at `location`; nothing if a new one begins: for a
/// restart, and when a run was stored that has not read anything and goes by other terms (a
/// filter that was rejected, say, and is now corrected). Throws a usage error when the stored run
/// goes by other terms.
std::optional<checkpoint::RunState> resumable(std::optional<checkpoint::RunState> stored,
                                              const RunTerms& terms, const std::string& location);

/// Used from one event loop, one call at a time: `claim`, then `begin` if there is nothing to
/// resume, then `release`, whatever has failed.
class RunClaim {
 public:
  /// The clock and the random numbers outlive it.
  RunClaim(RunStores stores, RunTerms terms, Clock& clock, Random& random);

  /// Makes this process the owner of the run. Returns the run's state if it resumes or is complete;
  /// nothing if a new one begins, or none is to begin. `choose`: how many parts, asked if neither
  /// the terms nor other workers say. Throws Error, OwnedByAnother when another process works on
  /// it.
  Awaitable<std::optional<checkpoint::RunState>> claim(std::function<std::uint32_t()> choose);

  /// How many parts a run that begins has, if the terms or other workers say.
  std::optional<std::uint32_t> agreed_parts() const {
    return agreed_parts_ ? agreed_parts_ : terms_.parts;
  }

  /// Of the run that was there and that the new one takes the place of; empty if there was none, or
  /// it cannot be read.
  const std::string& replaced_token() const { return replaced_token_; }

  /// Begins a run in place of whatever is there. On return its record is durable.
  Awaitable<void> begin(checkpoint::RunState state);
  /// Whether there is a run of these terms that the next process can resume.
  bool begun() const { return begun_; }

  /// Keeps `gate` within this worker's share of `rate` (read units per second), until cancelled;
  /// nothing if one worker has all. Reads nothing before the first turn.
  std::function<Awaitable<void>()> share_rate(double rate, pace::ReadGate& gate);

  /// Gives the run up, so that the next process need not wait until this one is known to be gone.
  /// `complete`: this worker has delivered all that it reads. Throws nothing but what `notice`
  /// throws.
  Awaitable<void> release(bool complete, const Notice& notice);
  /// Leaves the run to the process that presents the text that is returned, instead of releasing
  /// it. Empty if that cannot be; then it is released.
  Awaitable<std::string> hand_over(const Notice& notice);
  /// Another process has taken the run over: what workers know of it is its to say.
  void give_up() { taken_over_ = true; }

  checkpoint::CheckpointStore& store() const { return *stores_.checkpoint; }
  std::string location() const { return stores_.checkpoint->location(); }

 private:
  Awaitable<void> leave_workers(bool complete, const Notice& notice);
  Awaitable<void> release_store(const Notice& notice);

  RunStores stores_;
  RunTerms terms_;
  Clock& clock_;
  std::optional<Fleet> fleet_;
  std::optional<std::uint32_t> agreed_parts_;  ///< with the other workers
  std::string replaced_token_;
  bool begun_ = false;
  bool taken_over_ = false;
};

}  // namespace everyitem::run
