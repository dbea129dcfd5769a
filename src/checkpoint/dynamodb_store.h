// Checkpoints in a DynamoDB table, of runs that one process at a time works on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/dynamodb_run_items.h"
#include "checkpoint/remote_store.h"

namespace everyitem::checkpoint {

class DynamoDbStore final : public RemoteStore {
 public:
  /// Segments that `save` writes at once: each is an item by itself.
  static constexpr std::size_t kMaxWritesAtOnce = 32;

  DynamoDbStore(const DynamoDbLocation& location, const StoreContext& context);

  Awaitable<void> save(std::vector<SegmentProgress> moved) override;
  Awaitable<void> maintain() override;
  std::string location() const override { return items_.location(); }

 private:
  Awaitable<StoredRecord> read_record() override { return items_.read_record(); }
  Awaitable<bool> write_record(RunRecord record, StoredRecord before) override {
    return items_.write_record(record, std::move(before));
  }
  Awaitable<std::vector<StoredSegment>> read_segments(const RunRecord& record) override {
    return items_.read_segments(record.token, unread_segments(record.segments));
  }
  Awaitable<std::vector<std::string>> segment_names(std::string token) override {
    return items_.segment_names(token);
  }
  Awaitable<void> remove(std::vector<std::string> names) override;

  Awaitable<void> put_segment(const SegmentProgress& progress);

  DynamoDbRunItems items_;
};

inline std::unique_ptr<CheckpointStore> open_store(const DynamoDbLocation& location,
                                                   const StoreContext& context) {
  return std::make_unique<DynamoDbStore>(location, context);
}

}  // namespace everyitem::checkpoint
