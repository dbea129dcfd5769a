// What goes to a destination in one piece, and whose items it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/padded_buffer.h"
#include "base/sha256.h"
#include "batch/shard_map.h"
#include "source/scan_position.h"

namespace everyitem::batch {

/// Where one record stands in the body of its batch, in bytes.
struct RecordSpan {
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// How many of a batch's items are of one page.
struct PageShare {
  source::PageId page;
  std::uint64_t items = 0;

  friend bool operator==(const PageShare&, const PageShare&) = default;
};

/// How many of a record's items are of one page.
struct RecordShare {
  std::uint32_t record = 0;  ///< its place in RecordBatch::records
  std::uint32_t page = 0;    ///< its place in RecordBatch::pages
  std::uint32_t items = 0;

  friend bool operator==(const RecordShare&, const RecordShare&) = default;
};

/// A batch carries the pages whose items it holds; the pipeline gives them to the ack tracker once
/// all its records are accepted.
struct RecordBatch {
  PaddedBuffer body;                ///< as the destination takes it
  std::optional<Sha256> sha256;     ///< of the body, where that is known already
  std::vector<RecordSpan> records;  ///< empty where the destination takes the whole
  /// Where records hold several items: record by record, the pages of its items in their order.
  /// Empty where each record is an item.
  std::vector<RecordShare> shares;
  /// The ExplicitHashKey of each record; empty where the records have none.
  std::vector<HashKey> explicit_hash_keys;
  std::vector<PageShare> pages;  ///< each once, in the order of their items here
  std::uint64_t items = 0;
  std::uint64_t item_bytes = 0;  ///< of the items' JSON, not of the body

  /// Counts one more item, of `page`.
  void count(source::PageId page, std::size_t json_bytes) {
    // Items come page by page, so only the last entry can be the same.
    if (pages.empty() || !(pages.back().page == page)) {
      pages.push_back({.page = page});
    }
    ++pages.back().items;
    ++items;
    item_bytes += json_bytes;
  }
};

}  // namespace everyitem::batch
