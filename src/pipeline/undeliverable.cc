#include "pipeline/undeliverable.h"

#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::pipeline {

sink::DeadLetter too_large_letter(const source::Item& item, std::uint32_t segment,
                                  const source::KeyNames& keys, batch::BatchBuilder& builder) {
  return {.segment = segment,
          .code = {},
          .reason = fmt::format("its JSON has {} bytes, and {}",
                                grouped(builder.formatted_length(item)), builder.size_limit()),
          .key = source::key_of(item, keys),
          .item = std::string(item.json)};
}

std::vector<sink::DeadLetter> refused_letters(const batch::RecordBatch& batch,
                                              std::vector<sink::RefusedItem> refused,
                                              const source::KeyNames& keys) {
  std::vector<sink::DeadLetter> letters;
  letters.reserve(refused.size());
  for (sink::RefusedItem& item : refused) {
    const std::string_view text = batch.item_text(item.index);
    letters.push_back({.segment = batch.pages[batch.page_index(item.index)].page.segment,
                       .attempts = item.attempts,
                       .code = std::move(item.code),
                       .reason = std::move(item.reason),
                       .key = batch.separate_keys.empty() ? source::key_of(text, keys)
                                                          : batch.separate_keys.at(item.index),
                       .item = std::string(text)});
  }
  return letters;
}

Delivered delivered_of(const batch::RecordBatch& batch,
                       const std::vector<sink::RefusedItem>& refused) {
  Delivered delivered{.items = batch.items.size() - refused.size(),
                      .records = batch.record_count(),
                      .bytes = batch.formatted_bytes(),
                      .batch_bytes = batch.item_bytes(),
                      .refused_by_page = std::vector<std::uint64_t>(batch.pages.size())};
  // A record that holds a refused item is refused as a whole.
  std::set<std::uint32_t> refused_records;
  for (const sink::RefusedItem& item : refused) {
    delivered.bytes -= batch.formatted_length(item.index);
    ++delivered.refused_by_page[batch.page_index(item.index)];
    refused_records.insert(batch.items[item.index].record);
  }
  delivered.records -= refused_records.size();
  return delivered;
}

}  // namespace everyitem::pipeline
