// One of the workers that share a run: agrees with the others on what is read, and divides the read
// rate with them. See docs/adr/2026-11-26-workers.md.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "checkpoint/fleet_store.h"
#include "pace/read_gate.h"
#include "run/rate_claim.h"
#include "source/worker_part.h"

namespace everyitem::run {

/// How often each of `reading` workers publishes its state and reads that of the others. What an
/// ending worker leaves free stays unused for at most this long.
constexpr std::chrono::nanoseconds turn_time(std::size_t reading) {
  return std::max<std::chrono::nanoseconds>(
      std::chrono::seconds(1), static_cast<std::int64_t>(reading) * std::chrono::milliseconds(100));
}

/// A worker that could not publish its state for this long stops reading until it can.
inline constexpr std::chrono::seconds kClaimLife{20};
/// A worker the others have not heard from for this long loses its part of the rate. Longer than
/// kClaimLife by more than a write takes.
inline constexpr std::chrono::seconds kClaimsForgotten{30};

/// With more, a turn would come close to the life of a claim: a turn that fails must leave time for
/// another.
inline constexpr std::uint32_t kMaxWorkers = 100;
static_assert(2 * turn_time(kMaxWorkers) <= kClaimLife);

/// What all workers must agree on.
struct FleetTerms {
  checkpoint::RunIdentity identity;       ///< of the run
  std::optional<std::uint32_t> segments;  ///< as set for this worker; nothing: as for the others
  std::function<std::uint32_t()> choose = {};  ///< if it is set for no worker, and none has begun
  bool restart = false;                        ///< takes the place of other terms
};

/// Used from one event loop, one call at a time. All calls throw Error.
class Fleet {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// The store, the clock and the random numbers outlive it. `part` is one of several.
  Fleet(checkpoint::FleetStore& store, source::WorkerPart part, Clock& clock, Random& random)
      : store_(store), part_(part), clock_(clock), random_(random) {}

  /// Before this worker reads, and once the checkpoint of its own segments is its own. Returns the
  /// run's TotalSegments. Throws a usage error where other workers go by other terms.
  Awaitable<std::uint32_t> join(FleetTerms terms);

  /// Keeps `gate` within this worker's part of `rate` (read units per second), until cancelled.
  /// Before the first turn it reads nothing.
  Awaitable<void> share_rate(double rate, pace::ReadGate& gate);

  /// This worker has stopped reading: the others may have its part of the rate.
  Awaitable<void> leave(checkpoint::FleetMember::State state);

  /// The workers whose segments are not all delivered, by what was last seen.
  std::vector<std::uint32_t> not_complete() const;
  /// For the user: the same.
  std::string text() const;

 private:
  struct Sighting {
    std::uint64_t turn = 0;
    TimePoint at;
  };
  using Change = std::function<void(checkpoint::FleetRecord&)>;

  Awaitable<void> take_turn(double rate, pace::ReadGate& gate, RateUse& use);
  Awaitable<void> update(Change change);
  Awaitable<bool> try_to_join(FleetTerms terms);
  Awaitable<void> wait_for_others_to_write();
  checkpoint::FleetMember& own(checkpoint::FleetRecord& record) const;
  std::vector<RateClaim> claims_of_others(const checkpoint::FleetRecord& record, TimePoint now);

  checkpoint::FleetStore& store_;
  source::WorkerPart part_;
  Clock& clock_;
  Random& random_;
  checkpoint::RunIdentity identity_;  ///< since it has joined
  checkpoint::FleetRecord last_;
  std::map<std::uint32_t, Sighting> seen_;  ///< the other workers
  double claim_ = 0;                        ///< as the others see it
};

}  // namespace everyitem::run
