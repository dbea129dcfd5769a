#include "pipeline/undeliverable.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::pipeline {

namespace {

/// The place in batch.pages of the page that an item is of.
std::size_t page_of(const batch::RecordBatch& batch, const sink::RefusedItem& item) {
  if (batch.shares.empty()) {
    // A record is an item, and they stand page by page.
    std::size_t page = 0;
    for (std::uint64_t end = batch.pages[0].items; end <= item.record;
         end += batch.pages[page].items) {
      ++page;
    }
    return page;
  }
  auto share = std::ranges::lower_bound(batch.shares, item.record, {}, &batch::RecordShare::record);
  for (std::uint64_t end = share->items; end <= item.place; end += share->items) {
    ++share;
  }
  return share->page;
}

}  // namespace

sink::DeadLetter too_large_letter(const source::Item& item, std::uint32_t segment,
                                  const source::KeyNames& keys, const std::string& size_limit) {
  const auto key = source::position_behind(item, keys);
  return {
      .segment = segment,
      .code = {},
      .reason = fmt::format("its JSON has {} bytes, and {}", grouped(item.json.size()), size_limit),
      .key = key ? key->last_evaluated_key : std::string(),
      .item = std::string(item.json)};
}

std::vector<sink::DeadLetter> refused_letters(const batch::RecordBatch& batch,
                                              std::vector<sink::RefusedItem> refused,
                                              const source::KeyNames& keys) {
  std::vector<sink::DeadLetter> letters;
  letters.reserve(refused.size());
  for (sink::RefusedItem& item : refused) {
    letters.push_back({.segment = batch.pages[page_of(batch, item)].page.segment,
                       .code = std::move(item.code),
                       .reason = std::move(item.reason),
                       .key = source::key_of(item.item, keys),
                       .item = std::move(item.item)});
  }
  return letters;
}

std::vector<std::uint64_t> count_by_page(const batch::RecordBatch& batch,
                                         const std::vector<sink::RefusedItem>& refused) {
  std::vector<std::uint64_t> counts(batch.pages.size());
  for (const sink::RefusedItem& item : refused) {
    ++counts[page_of(batch, item)];
  }
  return counts;
}

}  // namespace everyitem::pipeline
