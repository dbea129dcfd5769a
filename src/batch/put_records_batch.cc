#include "batch/put_records_batch.h"

#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"
#include "batch/base64.h"

namespace everyitem::batch {

PutRecordsBuilder::PutRecordsBuilder(const StreamId& stream, PutRecordsLimits limits,
                                     PartitionKeys keys)
    : head_(open_request(stream)), limits_(limits), keys_(keys) {}

AddResult PutRecordsBuilder::add(const source::Item& item, source::PageId page) {
  const std::size_t record_bytes = item.json.size() + kPartitionKeyLength;
  if (record_bytes > limits_.record_bytes) {
    return AddResult::too_large;
  }
  if (batch_.items == limits_.records || request_bytes_ + record_bytes > limits_.request_bytes) {
    return AddResult::full;
  }
  std::string& body = batch_.body;
  if (batch_.items == 0) {
    // Batches of one run are much alike: the body seldom has to grow.
    body.reserve(last_body_bytes_ + last_body_bytes_ / 8);
    body = head_;
    batch_.records.reserve(limits_.records);
  } else {
    body += ',';
  }
  const std::size_t offset = body.size();
  body += R"({"Data":")";
  append_base64(body, item.json);
  body += R"(","PartitionKey":")";
  keys_.append_key(body, item);
  body += R"("})";
  batch_.records.push_back({.offset = offset, .length = body.size() - offset});
  batch_.count(page, item.json.size());
  request_bytes_ += record_bytes;
  return AddResult::added;
}

std::string PutRecordsBuilder::size_limit() const {
  return fmt::format("the stream takes records of {} bytes at most, their keys included",
                     grouped(limits_.record_bytes));
}

RecordBatch PutRecordsBuilder::seal() {
  close_request(batch_.body);
  last_body_bytes_ = batch_.body.size();
  request_bytes_ = 0;
  return std::exchange(batch_, {});
}

}  // namespace everyitem::batch
