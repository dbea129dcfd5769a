// Checkpoints in a DynamoDB table: an item a segment, and one for the run
// (docs/checkpoint_format.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/dynamodb_items.h"
#include "checkpoint/run_record.h"

namespace everyitem::checkpoint {

/// The run's item has an owner, an epoch and a lease: it is written under the condition that they
/// are as they were seen, and a segment's item under the condition that no later epoch wrote it. So
/// a process that was taken for dead, and is not, cannot write over what its successor wrote.
class DynamoDbStore final : public CheckpointStore {
 public:
  DynamoDbStore(const DynamoDbLocation& location, const StoreContext& context);

  Awaitable<std::optional<RunView>> look() override;
  Awaitable<std::optional<RunState>> load() override;
  Awaitable<void> begin(RunState state) override;
  Awaitable<void> save(std::vector<SegmentProgress> moved) override;
  Awaitable<void> maintain() override;
  /// A run that is complete becomes one item with a time to live.
  Awaitable<void> release() override;
  std::string location() const override { return items_.location(); }

 private:
  /// What stands in the run's item beside its record.
  struct RunItem {
    std::string identity;  ///< as identity_text
    /// Of a run that is complete: what all segments had, which are gone, and when it goes itself.
    std::optional<SegmentProgress> totals;
    std::int64_t expires_at = 0;  ///< seconds since 1970
  };

  boost::json::object run_item(const RunRecord& record) const;
  boost::json::object segment_item(const SegmentProgress& progress) const;
  void parse_run_item(const boost::json::object& item, RunRecord& record);
  void take_segment_item(const boost::json::object& item, RunState& state) const;
  Awaitable<std::optional<RunRecord>> read_record();
  Awaitable<void> claim();
  Awaitable<RunState> read_state();
  Awaitable<void> put_record(RunRecord wanted);
  Awaitable<void> renew_when_due();
  Awaitable<void> put_segment(const SegmentProgress& progress);
  Awaitable<std::vector<boost::json::object>> segment_items(bool keys_alone);
  Awaitable<void> remove_segments();

  DynamoDbItems items_;
  Clock& clock_;
  std::string owner_;
  source::WorkerPart part_;
  std::optional<RunRecord> record_;  ///< the run's item, as it was last seen or written
  RunItem item_;
  bool owned_ = false;
  std::chrono::steady_clock::time_point renewed_at_;
  std::vector<SegmentProgress> segments_;
};

inline std::unique_ptr<CheckpointStore> open_store(const DynamoDbLocation& location,
                                                   const StoreContext& context) {
  return std::make_unique<DynamoDbStore>(location, context);
}

}  // namespace everyitem::checkpoint
