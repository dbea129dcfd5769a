// PutRecords requests in CBOR, which hold the data of records byte for byte.
#pragma once

#include "batch/put_records_format.h"

namespace everyitem::batch {

/// Maps and arrays have indefinite length, as AWS's SDK for Java writes them, so that a request can
/// be sent again without some of its records.
class PutRecordsCbor final : public PutRecordsFormat {
 public:
  Wire wire() const override { return Wire::cbor; }
  std::string naming(const StreamId& stream) const override;
  std::string opening(const StreamId& stream) const override;
  std::size_t append_record(PaddedBuffer& body, std::string_view data, PartitionKey key,
                            std::string_view explicit_hash_key) const override;
  bool verbatim() const override { return true; }
  std::string_view separator() const override { return {}; }
  std::string_view closing() const override;
  RecordParts parts_of(std::string_view record) const override;
};

}  // namespace everyitem::batch
