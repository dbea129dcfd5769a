#include "batch/put_records_batch.h"

#include <utility>

namespace everyitem::batch {

PutRecordsBuilder::PutRecordsBuilder(const PutRecordsFormat& format, const StreamId& stream,
                                     PutRecordsLimits limits, PartitionKeys keys)
    : format_(format), opening_(format.opening(stream)), limits_(limits), keys_(keys) {}

AddResult PutRecordsBuilder::add(const source::Item& item, source::PageId page) {
  const std::size_t record_bytes = item.json.size() + kPartitionKeyLength;
  if (record_bytes > limits_.record_bytes) {
    return AddResult::too_large;
  }
  if (batch_.items == limits_.records || request_bytes_ + record_bytes > limits_.request_bytes) {
    return AddResult::full;
  }
  PaddedBuffer& body = batch_.body;
  if (batch_.items == 0) {
    // Batches of one run are much alike: the body seldom has to grow.
    body.reserve(last_body_bytes_ + last_body_bytes_ / 8);
    body.append(opening_);
    batch_.records.reserve(limits_.records);
  } else {
    body.append(format_.separator());
  }
  const std::size_t offset = body.size();
  format_.append_record(body, item.json, keys_.key(item), {});
  batch_.records.push_back({.offset = offset, .length = body.size() - offset});
  batch_.count(page, item.json.size());
  request_bytes_ += record_bytes;
  return AddResult::added;
}

std::string PutRecordsBuilder::size_limit() const { return record_limit(limits_); }

RecordBatch PutRecordsBuilder::seal() {
  batch_.body.append(format_.closing());
  last_body_bytes_ = batch_.body.size();
  request_bytes_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace everyitem::batch
