// A shared run in a DynamoDB table of checkpoints: the items of any run, and one for each process
// that takes part (docs/checkpoint_format.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/message.h"
#include "checkpoint/dynamodb_items.h"
#include "checkpoint/dynamodb_run_items.h"
#include "checkpoint/shared_run.h"

namespace everyitem::checkpoint {

/// A part's item says who reads it, and is written under the condition that its version is the one
/// that was read or written last, so each claim ends what an earlier reader may still write. A
/// part that nobody has claimed yet has no item, and one of a finished run has none either: whoever
/// finds one missing reads the record.
class DynamoDbSharedRun final : public SharedRun {
 public:
  DynamoDbSharedRun(const DynamoDbLocation& location, const StoreContext& context);

  Awaitable<std::optional<RunRecord>> join() override;
  Awaitable<bool> begin(RunState state) override;
  Awaitable<std::vector<StoredSegment>> parts(PartRange range) override;
  Awaitable<std::optional<StoredSegment>> claim(StoredSegment seen) override;
  Awaitable<std::vector<std::uint32_t>> save(std::vector<SegmentProgress> moved) override;
  Awaitable<void> give_back(std::uint32_t part) override;
  Awaitable<std::optional<FinishedRun>> finish() override;
  Awaitable<std::vector<Sharer>> sharers() override;
  Awaitable<void> tell(Sharer self) override;
  Awaitable<void> forget(Sharer seen) override;
  std::string location() const override { return items_.location(); }

 private:
  const RunRecord& record() const;
  Awaitable<bool> is_finished();
  Awaitable<bool> write_own(SegmentProgress progress, std::string sharer);
  Awaitable<std::vector<std::string>> left_by_others();
  Awaitable<std::vector<std::string>> left_by_this_run();
  Awaitable<void> remove(Awaitable<std::vector<std::string>> names);

  DynamoDbItems items_;
  DynamoDbRunItems run_items_;
  Clock& clock_;
  Notice notice_;
  std::string name_;
  bool told_damage_ = false;
  std::optional<RunRecord> record_;              ///< of the run that this process takes part in
  std::map<std::uint32_t, StoredSegment> held_;  ///< the parts that it has claimed
};

}  // namespace everyitem::checkpoint
