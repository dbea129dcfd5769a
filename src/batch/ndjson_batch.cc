#include "batch/ndjson_batch.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace everyitem::batch {

namespace {

/// There is hardly ever one, so it is looked for as fast as the C library can.
void replace_all(std::span<char> text, char each, char by) {
  while (!text.empty()) {
    auto* const found = static_cast<char*>(std::memchr(text.data(), each, text.size()));
    if (found == nullptr) {
      return;
    }
    *found = by;
    text = text.subspan(static_cast<std::size_t>(found - text.data()) + 1);
  }
}

}  // namespace

AddResult NdjsonBuilder::add(const source::Item& item, source::PageId page) {
  PaddedBuffer& body = batch_.body;
  const std::string_view text = formatted_.bytes_of(item);
  if (!empty() && body.size() + text.size() + 1 > kNdjsonBatchBytes) {
    return AddResult::full;
  }
  std::size_t offset = body.size();
  const std::span<char> line = body.prepare(text.size() + 1);
  std::memcpy(line.data(), text.data(), text.size());
  for (const char line_break : {'\n', '\r'}) {
    replace_all(line.first(text.size()), line_break, ' ');
  }
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
