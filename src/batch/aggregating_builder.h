// PutRecords requests of aggregated records: many items per record, each record for one shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "batch/aggregated_record.h"
#include "batch/batch_builder.h"
#include "batch/item_format.h"
#include "batch/kinesis_limits.h"
#include "batch/partition_key.h"
#include "batch/put_records_format.h"
#include "batch/shard_map.h"

namespace everyitem::batch {

/// Fills one aggregated record per shard, and starts another when it is full. The hash that an
/// item's partition key is made from decides its shard, so an item stays on its shard for as long
/// as the shards stay the same. An item that fits into a plain record but not into an aggregated
/// one becomes a plain record: consumers that de-aggregate accept both.
class AggregatingBuilder final : public BatchBuilder {
 public:
  /// `item_format` as for FormattedItems. Both formats and the shards outlive the builder, which
  /// looks for new shards with each batch.
  AggregatingBuilder(const PutRecordsFormat& format, const StreamId& stream,
                     PutRecordsLimits limits, PartitionKeys keys, const CurrentShards& shards,
                     const ItemFormat* item_format = nullptr);

  AddResult add(const source::Item& item, source::PageId page) override;
  AddedItems add_all(const source::Items& items, source::PageId page) override;
  std::size_t formatted_length(const source::Item& item) override {
    return formatted_.bytes_of(item).size();
  }
  std::string size_limit() const override;
  bool empty() const override { return batch_.items.empty(); }
  RecordBatch seal() override;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Where an item belongs.
  struct Target {
    std::uint64_t bits;  ///< that its keys are made from
    std::size_t shard;
  };

  void open_batch();
  void use_newest_shards();
  Target target_of(const source::Item& item) const;
  AddResult add_to(Target target, const source::Item& item, source::PageId page);
  AddResult add_record(const source::Item& item, std::string_view data, source::PageId page,
                       std::uint64_t bits, std::uint32_t& open);
  /// What has been written of an item.
  struct Place {
    std::uint32_t record = 0;
    std::size_t offset = 0;
    std::size_t bytes = 0;
  };
  void add_entry(Place place, const source::Item& item, source::PageId page);
  void close_records();

  const PutRecordsFormat& format_;
  std::string opening_;
  PutRecordsLimits limits_;
  PartitionKeys keys_;
  const CurrentShards& current_shards_;
  ShardMapAtOneTime shards_;          ///< when the batch was started
  std::size_t max_record_bytes_ = 0;  ///< of an aggregated record's data
  std::size_t max_bytes_ = 0;         ///< of a batch

  FormattedItems formatted_;
  bool body_holds_items_;  ///< byte for byte, as they were read

  std::vector<AggregatedRecord> records_;  ///< the first `begun_` are this batch's
  std::size_t begun_ = 0;                  ///< the other records are kept for their memory
  std::vector<std::uint32_t> open_;        ///< by shard: index of the record to fill, or kNone
  std::size_t bytes_ = 0;                  ///< of the records, as Kinesis counts them
  /// Has no body before `seal`. If the body will hold the items, their offsets count from the start
  /// of their record's data until then.
  RecordBatch batch_;
  std::size_t last_body_bytes_ = 0;
  std::size_t last_items_ = 0;
};

}  // namespace everyitem::batch
