#include "batch/ndjson_batch.h"

#include <algorithm>
#include <utility>

namespace everyitem::batch {

AddResult NdjsonBuilder::add(const source::Item& item, source::PageId page) {
  std::string& body = batch_.body;
  if (batch_.items > 0 && body.size() + item.json.size() + 1 > kNdjsonBatchBytes) {
    return AddResult::full;
  }
  const auto start = static_cast<std::ptrdiff_t>(body.size());
  body += item.json;
  std::replace_if(
      body.begin() + start, body.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  body += '\n';
  batch_.count(page, item.json.size());
  return AddResult::added;
}

RecordBatch NdjsonBuilder::seal() { return std::exchange(batch_, {}); }

}  // namespace everyitem::batch
