#include "batch/put_records_batch.h"

#include <cstdint>
#include <string_view>
#include <utility>

namespace everyitem::batch {

PutRecordsBuilder::PutRecordsBuilder(const PutRecordsFormat& format, const StreamId& stream,
                                     PutRecordsLimits limits, PartitionKeys keys,
                                     const ItemFormat* item_format)
    : format_(format),
      opening_(format.opening(stream)),
      limits_(limits),
      keys_(keys),
      formatted_(item_format),
      body_holds_items_(format.verbatim() && formatted_.as_read()) {}

AddResult PutRecordsBuilder::add(const source::Item& item, source::PageId page) {
  const std::string_view data = formatted_.bytes_of(item);
  const std::size_t record_bytes = data.size() + kPartitionKeyLength;
  if (record_bytes > limits_.record_bytes) {
    return AddResult::too_large;
  }
  if (batch_.items.size() == limits_.records ||
      request_bytes_ + record_bytes > limits_.request_bytes) {
    return AddResult::full;
  }
  PaddedBuffer& body = batch_.body;
  if (batch_.items.empty()) {
    // Batches of one run are much alike: the body seldom has to grow.
    body.reserve(last_body_bytes_ + last_body_bytes_ / 8);
    body.append(opening_);
    batch_.records.reserve(limits_.records);
    batch_.items.reserve(limits_.records);
  } else {
    body.append(format_.separator());
  }
  const std::size_t record_offset = body.size();
  std::size_t item_offset = format_.append_record(body, data, keys_.key(item), {});
  if (!body_holds_items_) {
    item_offset = batch_.separate_text.size();
    batch_.separate_text.append(item.json);
  }
  const auto record = static_cast<std::uint32_t>(batch_.records.size());
  batch_.records.push_back({.offset = static_cast<std::uint32_t>(record_offset),
                            .length = static_cast<std::uint32_t>(body.size() - record_offset)});
  batch_.add({.record = record,
              .offset = static_cast<std::uint32_t>(item_offset),
              .length = static_cast<std::uint32_t>(item.json.size())},
             page);
  if (!formatted_.as_read()) {
    count_formatted(data.size(), batch_);
  }
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
