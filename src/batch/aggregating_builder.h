// PutRecords requests of aggregated records: many items a record, one shard a record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "batch/aggregated_record.h"
#include "batch/batch_builder.h"
#include "batch/kinesis_limits.h"
#include "batch/partition_key.h"
#include "batch/put_records_format.h"
#include "batch/shard_map.h"

namespace everyitem::batch {

/// Fills one aggregated record for each shard, and begins another when it is full. An item's shard
/// is found by the hash that its partition key is made of, so an item stays on its shard for as
/// long as the shards stay. An item that does not fit into an aggregated record and does fit into a
/// plain one becomes that: consumers that de-aggregate take both.
class AggregatingBuilder final : public BatchBuilder {
 public:
  /// The format and the shards outlive the builder, which looks for new shards with each batch.
  AggregatingBuilder(const PutRecordsFormat& format, const StreamId& stream,
                     PutRecordsLimits limits, PartitionKeys keys, const CurrentShards& shards);

  AddResult add(const source::Item& item, source::PageId page) override;
  AddedItems add_all(std::span<const source::Item> items, source::PageId page) override;
  std::string size_limit() const override;
  const RecordBatch& current() const override { return batch_; }
  RecordBatch seal() override;

 private:
  /// A record of the batch, and the pages that its items are of, in their order.
  struct Filling {
    AggregatedRecord record;
    std::vector<RecordShare> shares;
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Where an item belongs.
  struct Target {
    std::uint64_t bits;  ///< what its keys are made of
    std::size_t shard;
  };

  void look_at_shards();
  Target target_of(const source::Item& item) const;
  AddResult add_to(Target target, const source::Item& item, source::PageId page);
  AddResult add_record(const source::Item& item, source::PageId page, std::uint64_t bits,
                       std::uint32_t& open);
  void count(std::uint32_t record, source::PageId page, std::size_t json_bytes);
  void close_records();

  const PutRecordsFormat& format_;
  std::string opening_;
  PutRecordsLimits limits_;
  PartitionKeys keys_;
  const CurrentShards& current_shards_;
  ShardMapAtOneTime shards_;           ///< when the batch was begun
  std::size_t most_record_bytes_ = 0;  ///< of an aggregated record's data
  std::size_t most_bytes_ = 0;         ///< of a batch

  std::vector<Filling> records_;  ///< of this batch the first `begun_`
  std::size_t begun_ = 0;         ///< the others are there for their memory
  std::vector<std::uint32_t>
      open_;               ///< by shard, the place in records_ of the one to fill, or kNone
  std::size_t bytes_ = 0;  ///< of the records, as Kinesis counts them
  RecordBatch batch_;      ///< without its body as yet
  std::size_t last_body_bytes_ = 0;
};

}  // namespace everyitem::batch
