// PutRecords requests in JSON, built once in one buffer, within all of Kinesis' limits.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "batch/batch_builder.h"
#include "batch/kinesis_limits.h"
#include "batch/partition_key.h"

namespace everyitem::batch {

/// Which stream, as requests name it. The ARN is needed where the stream is another account's; it
/// is left out when empty.
struct StreamId {
  std::string name;
  std::string arn;
};

class PutRecordsBuilder final : public BatchBuilder {
 public:
  PutRecordsBuilder(const StreamId& stream, PutRecordsLimits limits, PartitionKeys keys);

  AddResult add(const source::Item& item, source::PageId page) override;
  const RecordBatch& current() const override { return batch_; }
  RecordBatch seal() override;

 private:
  std::string head_;  ///< of every request: the stream, up to the first record
  PutRecordsLimits limits_;
  PartitionKeys keys_;
  RecordBatch batch_;
  std::size_t request_bytes_ = 0;    ///< as Kinesis counts them: data and partition keys
  std::size_t last_body_bytes_ = 0;  ///< what to reserve for the next
};

/// The request that sends only some records of a batch again; `indexes` into batch.records, rising.
std::string request_for(const RecordBatch& batch, std::span<const std::uint32_t> indexes);

}  // namespace everyitem::batch
