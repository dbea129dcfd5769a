// What all stores have in common that are on the other side of a network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/run_ownership.h"
#include "checkpoint/run_record.h"

namespace everyitem::checkpoint {

/// A run's record, which has an owner (RunOwnership), and the progress of its segments, each part
/// of which bears the run's token. A run begins with one write, that of its record: what bears
/// another token does not count from then on, and is removed afterwards. A finished run is its
/// record alone.
class RemoteStore : public CheckpointStore, private RunRecords {
 public:
  Awaitable<std::optional<RunView>> look() final;
  Awaitable<std::optional<RunState>> load() final;
  Awaitable<void> begin(RunState state) final;
  Awaitable<std::string> hand_over() final;
  Awaitable<void> release() final;

 protected:
  /// `context` outlives the store's constructor only.
  explicit RemoteStore(const StoreContext& context);

  /// The segments of the run that `record` names, one entry per segment. Throws DamagedCheckpoint.
  virtual Awaitable<std::vector<StoredSegment>> read_segments(const RunRecord& record) = 0;
  /// `segments()` are others from now on.
  virtual void segments_changed() {}
  /// What is stored of segments, by name: of the run with this token, of all runs when it is empty.
  virtual Awaitable<std::vector<std::string>> segment_names(std::string token) = 0;
  /// Ignores names that are gone.
  virtual Awaitable<void> remove(std::vector<std::string> names) = 0;
  /// Whether all that was saved has been written.
  virtual bool all_is_written() const { return true; }

  RunOwnership& ownership() { return ownership_; }
  /// Of the run that was loaded or begun; empty when there is none.
  std::vector<StoredSegment>& segments() { return segments_; }
  /// Which run they are of.
  const std::string& run_token() const { return token_; }
  /// The segment's entry in `segments()`.
  StoredSegment& segment(std::uint32_t number);
  std::vector<StoredSegment> unread_segments(std::uint32_t count) const;
  Clock& clock() const { return clock_; }

 private:
  std::string record_location() const final { return location(); }
  struct ReadRun {
    RunState state;
    std::vector<StoredSegment> segments;
  };

  Awaitable<ReadRun> read_run(const RunRecord& record);
  void adopt(std::string token, std::vector<StoredSegment> segments);

  Clock& clock_;
  Notice notice_;
  RunOwnership ownership_;
  std::string token_;  ///< of the run that `segments_` are of
  std::vector<StoredSegment> segments_;
};

}  // namespace everyitem::checkpoint
