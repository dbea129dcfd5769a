// What the workers of a run know of each other: each has segments of its own, and a checkpoint of
// its own for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// One worker, as it tells the others.
struct FleetMember {
  enum class State { reading, left, complete };

  std::uint32_t worker = 0;
  State state = State::reading;
  std::uint64_t turn = 0;  ///< grows when the worker tells something: who stalls is gone
  double read_units = 0;   ///< what it may read a second, of the run's budget
  /// What it has use for, a second; nothing: as much as it can get.
  std::optional<double> wanted;

  friend bool operator==(const FleetMember&, const FleetMember&) = default;
};

/// What all workers have in common.
struct FleetRecord {
  RunIdentity identity;                ///< that of the run, with the number of workers
  std::uint32_t segments = 0;          ///< TotalSegments
  std::vector<FleetMember> members{};  ///< those that have ever begun, by number

  friend bool operator==(const FleetRecord&, const FleetRecord&) = default;
};

/// Used from one event loop, one call at a time. All calls throw Error.
class FleetStore {
 public:
  FleetStore() = default;
  FleetStore(const FleetStore&) = delete;
  FleetStore& operator=(const FleetStore&) = delete;
  virtual ~FleetStore() = default;

  /// What is there now; nothing where no worker has begun.
  virtual Awaitable<std::optional<FleetRecord>> read() = 0;
  /// Puts `record` in the place of what was last read. False when another has written since, or
  /// when it is not known whether this was written: read it again.
  virtual Awaitable<bool> write(FleetRecord record) = 0;

  /// For messages.
  virtual std::string location() const = 0;
};

/// Throws a usage error when workers cannot share this location: they can share a DynamoDB table.
const DynamoDbLocation& require_shareable(const CheckpointLocation& location);

/// What the workers of the run at `location` share. Throws as require_shareable.
std::unique_ptr<FleetStore> open_fleet_store(const CheckpointLocation& location,
                                             const StoreContext& context);

/// Where one worker of the run at `location` keeps the progress of its own segments.
CheckpointLocation worker_location(const CheckpointLocation& location, source::WorkerPart part);

}  // namespace everyitem::checkpoint
