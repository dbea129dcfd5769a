// PutRecords requests with one item per record, each built in one buffer, within Kinesis' limits.
#pragma once

#include <cstddef>
#include <string>

#include "batch/batch_builder.h"
#include "batch/item_format.h"
#include "batch/kinesis_limits.h"
#include "batch/partition_key.h"
#include "batch/put_records_format.h"

namespace everyitem::batch {

class PutRecordsBuilder final : public BatchBuilder {
 public:
  /// `item_format` as for FormattedItems. Both formats outlive the builder.
  PutRecordsBuilder(const PutRecordsFormat& format, const StreamId& stream, PutRecordsLimits limits,
                    PartitionKeys keys, const ItemFormat* item_format = nullptr);

  AddResult add(const source::Item& item, source::PageId page) override;
  std::size_t formatted_length(const source::Item& item) override {
    return formatted_.bytes_of(item).size();
  }
  std::string size_limit() const override;
  bool empty() const override { return batch_.items.empty(); }
  RecordBatch seal() override;

 private:
  const PutRecordsFormat& format_;
  std::string opening_;
  PutRecordsLimits limits_;
  PartitionKeys keys_;
  FormattedItems formatted_;
  bool body_holds_items_;  ///< byte for byte, as they were read
  RecordBatch batch_;
  std::size_t request_bytes_ = 0;  ///< as Kinesis counts them: data and partition keys
  std::size_t last_body_bytes_ = 0;
};

}  // namespace everyitem::batch
