// A run that any number of processes work on together: which parts each of them reads, and what
// they know of one another. Nobody owns it. See docs/adr/2026-11-28-shared-runs.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/run_record.h"

namespace everyitem::checkpoint {

/// One of the processes, as it tells the others.
struct Sharer {
  std::string name;        ///< no two have the same
  std::uint64_t turn = 0;  ///< one more each time it tells something
  /// When it has told nothing for longer, by the reader's clock, it is gone.
  std::chrono::milliseconds lease{0};
  std::uint32_t parts = 0;   ///< that it reads
  bool wants_parts = false;  ///< it could read more, and found none that is free
  /// Read units per second that the run may use, as its user has set it.
  std::optional<double> rate = {};
  double read_units = 0;  ///< of these, what it uses at most
  /// What it has use for; nothing: as much as it can get.
  std::optional<double> wanted = {};

  friend bool operator==(const Sharer&, const Sharer&) = default;
};

/// Parts whose numbers follow one another.
struct PartRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// Used from one event loop, on which calls may overlap, except for calls about the same part.
/// They throw Error, after which a write may have been done, or may yet be; what lands late
/// changes nothing that came after it.
class SharedRun {
 public:
  SharedRun() = default;
  SharedRun(const SharedRun&) = delete;
  SharedRun& operator=(const SharedRun&) = delete;
  virtual ~SharedRun() = default;

  /// The run that is there, in which this process takes part from then on; nothing if there is
  /// none. Throws DamagedCheckpoint, and a usage error when the run is not shared.
  virtual Awaitable<std::optional<RunRecord>> join() = 0;
  /// Begins a run if there is none, and takes part in it. False if there is one by now: join it.
  virtual Awaitable<bool> begin(RunState state) = 0;

  /// These parts, by number; none once the run is finished. Throws when it is no longer there.
  virtual Awaitable<std::vector<StoredSegment>> parts(PartRange range) = 0;
  /// Gives this process a part, if it still is as it was `seen`. Returns it as it is from then
  /// on; nothing if another has changed it.
  virtual Awaitable<std::optional<StoredSegment>> claim(StoredSegment seen) = 0;
  /// Writes the progress of parts that this process has claimed. Returns the numbers of those that
  /// another has claimed since: this process no longer has them.
  virtual Awaitable<std::vector<std::uint32_t>> save(std::vector<SegmentProgress> moved) = 0;
  /// Lets others claim a part, which stands where it was saved last.
  virtual Awaitable<void> give_back(std::uint32_t part) = 0;
  /// Says that the run is finished, if all its parts are complete. Returns what it comes to;
  /// nothing if parts are not complete.
  virtual Awaitable<std::optional<FinishedRun>> finish() = 0;

  /// Those who have told something and have not left, in the order of their names. What cannot be
  /// read is left out, with a notice.
  virtual Awaitable<std::vector<Sharer>> sharers() = 0;
  /// Tells the others. The name is that of this process.
  virtual Awaitable<void> tell(Sharer self) = 0;
  /// One that is gone is not told of any more, unless it has told something since it was `seen`.
  virtual Awaitable<void> forget(Sharer seen) = 0;

  virtual std::string location() const = 0;  ///< for messages
};

/// Throws a usage error when runs at this location cannot be shared: in a DynamoDB table they can.
const DynamoDbLocation& require_shareable(const CheckpointLocation& location);
/// Throws as require_shareable.
std::unique_ptr<SharedRun> open_shared_run(const CheckpointLocation& location,
                                           const StoreContext& context);

}  // namespace everyitem::checkpoint
