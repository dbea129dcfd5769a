// Reads the stream as an application of the Kinesis Client Library does: it takes aggregated
// records apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/md5.h"
#include "emulator/aggregated_record.h"
#include "emulator/put_records_wire.h"
#include "emulator/received_items.h"
#include "emulator/stream_shards.h"

namespace everyitem::emulator {

/// Records that the stream took and that begin as aggregated ones do.
struct AggregatedCounts {
  std::uint64_t records = 0;
  /// Of these, those that hold a record of another shard: the library drops all that they hold.
  std::uint64_t out_of_range = 0;
  /// Of these, those that AggregatedRecordReader refuses; nothing of theirs counts as received.
  std::uint64_t malformed = 0;
  std::string first_error;  ///< what is wrong with the first malformed one
};

/// One event loop. Keeps references to what it is given.
class StreamConsumer {
 public:
  StreamConsumer(const StreamShards& shards, ReceivedItems& received, AggregatedCounts& counts)
      : shards_(shards), received_(received), counts_(counts) {}

  /// Adds the items of records, each of which came to its `shard`.
  void take(std::span<const PutRecord> records);

  /// Whether `is_such` holds for an item of a record with this data; never for a malformed one.
  template <typename Predicate>
  bool any_item(std::string_view data, Predicate is_such) {
    if (!is_aggregated(data)) {
      return is_such(data);
    }
    try {
      for (const SubRecord& record : reader_.read(data)) {
        if (is_such(record.data)) {
          return true;
        }
      }
    } catch (const AggregatedRecordError&) {  // take() counts it
    }
    return false;
  }

 private:
  void take_aggregated(const PutRecord& record, const Md5& digest);
  bool all_belong_to(std::uint32_t shard, const std::vector<SubRecord>& records) const;

  const StreamShards& shards_;
  ReceivedItems& received_;
  AggregatedCounts& counts_;
  AggregatedRecordReader reader_;
};

}  // namespace everyitem::emulator
