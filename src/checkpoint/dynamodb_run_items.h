// How a run is written down in a DynamoDB table of checkpoints: an item for its record, and one for
// each of its segments (docs/checkpoint_format.md).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/async.h"
#include "checkpoint/checkpoint_store.h"
#include "checkpoint/dynamodb_items.h"
#include "checkpoint/run_ownership.h"
#include "checkpoint/run_record.h"

namespace everyitem::checkpoint {

/// Each item has a version, and is written under the condition that its version is the one that was
/// read or written last: neither a write that lands late nor a process that was presumed dead, and
/// is alive, can overwrite what came after. The key of a segment's item has the run's token in it,
/// so that what is written or deleted late for one run does not meet another. One event loop; calls
/// throw Error, and those that read DamagedCheckpoint.
class DynamoDbRunItems {
 public:
  DynamoDbRunItems(const DynamoDbLocation& location, const StoreContext& context);

  std::string location() const { return items_.location(); }

  /// As RunRecords.
  Awaitable<StoredRecord> read_record();
  Awaitable<bool> write_record(const RunRecord& record, StoredRecord before);

  /// `segments`, one entry per segment of the run with this token, with those in place that are
  /// there.
  Awaitable<std::vector<StoredSegment>> read_segments(std::string token,
                                                      std::vector<StoredSegment> segments);
  /// The same for one segment or more, from `first` on.
  Awaitable<std::vector<StoredSegment>> read_segments_from(std::uint32_t first, std::string token,
                                                           std::vector<StoredSegment> segments);
  /// Nothing if it is not there.
  Awaitable<std::optional<StoredSegment>> read_segment(std::string token, std::uint32_t number);
  /// Writes `segment`, if the version of what is there is one less (0: nothing is there). False if
  /// it is not, or when the answer to this very write was lost.
  Awaitable<bool> write_segment(const std::string& token, const StoredSegment& segment);

  /// What is stored of segments: of the run with this token, of all runs if it is empty.
  Awaitable<std::vector<std::string>> segment_names(const std::string& token);
  /// As DynamoDbItems.
  Awaitable<void> remove(std::vector<std::string> names, std::function<Awaitable<void>()> between) {
    return items_.remove(std::move(names), std::move(between));
  }

 private:
  void put_in_place(const std::vector<boost::json::object>& items, const std::string& token,
                    std::uint32_t first, std::vector<StoredSegment>& segments) const;

  DynamoDbItems items_;
  boost::json::object damaged_item_;  ///< a record that was read last and could not be
};

}  // namespace everyitem::checkpoint
