#include "batch/ndjson_batch.h"

#include <algorithm>
#include <span>
#include <utility>

namespace everyitem::batch {

AddResult NdjsonBuilder::add(const source::Item& item, source::PageId page) {
  PaddedBuffer& body = batch_.body;
  if (batch_.items > 0 && body.size() + item.json.size() + 1 > kNdjsonBatchBytes) {
    return AddResult::full;
  }
  const std::span<char> line = body.prepare(item.json.size() + 1);
  std::ranges::replace_copy_if(
      item.json, line.begin(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  line.back() = '\n';
  body.commit(line.size());
  batch_.count(page, item.json.size());
  return AddResult::added;
}

RecordBatch NdjsonBuilder::seal() { return std::exchange(batch_, {}); }

}  // namespace everyitem::batch
