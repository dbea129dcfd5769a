// Checkpoints in a DynamoDB table: an item per segment, and one for the run
// (docs/checkpoint_format.md).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/dynamodb_items.h"
#include "checkpoint/remote_store.h"

namespace everyitem::checkpoint {

/// Each item has a version, and is written under the condition that its version is the one that was
/// read or written last: neither a write that lands late nor a process that was presumed dead, and
/// is alive, can overwrite what came after. The key of a segment's item has the run's token in it,
/// so that what is written or deleted late for one run does not meet another.
class DynamoDbStore final : public RemoteStore {
 public:
  /// Segments that `save` writes at once: each is an item by itself.
  static constexpr std::size_t kMaxWritesAtOnce = 32;

  DynamoDbStore(const DynamoDbLocation& location, const StoreContext& context);

  Awaitable<void> save(std::vector<SegmentProgress> moved) override;
  Awaitable<void> maintain() override;
  std::string location() const override { return items_.location(); }

 private:
  Awaitable<StoredRecord> read_record() override;
  Awaitable<bool> write_record(RunRecord record, StoredRecord before) override;
  Awaitable<std::vector<StoredSegment>> read_segments(const RunRecord& record) override;
  Awaitable<std::vector<std::string>> segment_names(std::string token) override;
  Awaitable<void> remove(std::vector<std::string> names) override;

  boost::json::object run_item(const RunRecord& record) const;
  boost::json::object segment_item(const StoredSegment& segment) const;
  RunRecord parse_run_item(const boost::json::object& item) const;
  void take_segment_item(const boost::json::object& item, const RunRecord& record,
                         std::vector<StoredSegment>& segments) const;
  Awaitable<void> put_segment(const SegmentProgress& progress);
  Awaitable<std::vector<boost::json::object>> segment_items(std::string prefix, bool keys_alone);

  DynamoDbItems items_;
  boost::json::object damaged_item_;  ///< a record that was read last and could not be
};

inline std::unique_ptr<CheckpointStore> open_store(const DynamoDbLocation& location,
                                                   const StoreContext& context) {
  return std::make_unique<DynamoDbStore>(location, context);
}

}  // namespace everyitem::checkpoint
