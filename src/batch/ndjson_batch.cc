#include "batch/ndjson_batch.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace everyitem::batch {

AddResult NdjsonBuilder::add(const source::Item& item, source::PageId page) {
  PaddedBuffer& body = batch_.body;
  const std::string_view text = formatted_.bytes_of(item);
  if (!empty() && body.size() + text.size() + 1 > kNdjsonBatchBytes) {
    return AddResult::full;
  }
  std::size_t offset = body.size();
  const std::span<char> line = body.prepare(text.size() + 1);
  std::ranges::replace_copy_if(
      text, line.begin(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  line.back() = '\n';
  body.commit(line.size());
  if (!formatted_.as_read()) {
    offset = batch_.separate_text.size();
    batch_.separate_text.append(item.json);
    count_formatted(text.size(), batch_);
  }
  batch_.add({.record = static_cast<std::uint32_t>(batch_.items.size()),
              .offset = static_cast<std::uint32_t>(offset),
              .length = static_cast<std::uint32_t>(item.json.size())},
             page);
  return AddResult::added;
}

RecordBatch NdjsonBuilder::seal() { return std::exchange(batch_, {}); }

}  // namespace everyitem::batch
