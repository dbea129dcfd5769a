#include "batch/put_records_format.h"

#include "batch/put_records_cbor.h"
#include "batch/put_records_json.h"

namespace everyitem::batch {

namespace {

std::string_view record_of(const RecordBatch& batch, std::uint32_t index) {
  const RecordSpan span = batch.records[index];
  return batch.body.view().substr(span.offset, span.length);
}

}  // namespace

const PutRecordsFormat& put_records_format(Wire wire) {
  static const PutRecordsJson json;
  static const PutRecordsCbor cbor;
  if (wire == Wire::cbor) {
    return cbor;
  }
  return json;
}

PaddedBuffer request_for(const RecordBatch& batch, std::span<const std::uint32_t> indexes,
                         const PutRecordsFormat& format) {
  PaddedBuffer body;
  body.append(batch.body.view().substr(0, batch.records.front().offset));
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (i > 0) {
      body.append(format.separator());
    }
    body.append(record_of(batch, indexes[i]));
  }
  body.append(format.closing());
  return body;
}

}  // namespace everyitem::batch
