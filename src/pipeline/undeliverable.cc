#include "pipeline/undeliverable.h"

#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"

namespace everyitem::pipeline {

namespace {

/// The place in batch.pages of the page that a record's item is of.
std::size_t page_of(const batch::RecordBatch& batch, std::uint32_t record) {
  std::size_t page = 0;
  for (std::uint64_t end = batch.pages[0].items; end <= record; end += batch.pages[page].items) {
    ++page;
  }
  return page;
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
                                              std::vector<sink::RefusedRecord> refused,
                                              const source::KeyNames& keys) {
  std::vector<sink::DeadLetter> letters;
  letters.reserve(refused.size());
  for (sink::RefusedRecord& record : refused) {
    letters.push_back({.segment = batch.pages[page_of(batch, record.index)].page.segment,
                       .code = std::move(record.code),
                       .reason = std::move(record.reason),
                       .key = source::key_of(record.item, keys),
                       .item = std::move(record.item)});
  }
  return letters;
}

std::vector<std::uint64_t> count_by_page(const batch::RecordBatch& batch,
                                         const std::vector<sink::RefusedRecord>& refused) {
  std::vector<std::uint64_t> counts(batch.pages.size());
  for (const sink::RefusedRecord& record : refused) {
    ++counts[page_of(batch, record.index)];
  }
  return counts;
}

}  // namespace everyitem::pipeline
