// PutRecords requests in JSON, which every endpoint accepts.
#pragma once

#include "batch/put_records_format.h"

namespace everyitem::batch {

/// Data is in base64, which takes a third more bytes.
class PutRecordsJson final : public PutRecordsFormat {
 public:
  Wire wire() const override { return Wire::json; }
  std::string naming(const StreamId& stream) const override;
  std::string opening(const StreamId& stream) const override;
  std::size_t append_record(PaddedBuffer& body, std::string_view data, PartitionKey key,
                            std::string_view explicit_hash_key) const override;
  bool verbatim() const override { return false; }
  std::string_view separator() const override { return ","; }
  std::string_view closing() const override { return "]}"; }
  RecordParts parts_of(std::string_view record) const override;
};

}  // namespace everyitem::batch
