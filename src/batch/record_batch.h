// What goes to a destination in one piece, and whose items it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source/scan_position.h"

namespace everyitem::batch {

/// Where one record stands in the body of its batch, in bytes.
struct RecordSpan {
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// A batch carries the positions of the pages whose items it holds; the pipeline gives them to the
/// ack tracker once all its records are accepted.
struct RecordBatch {
  std::string body;                   ///< as the destination takes it
  std::vector<RecordSpan> records;    ///< one an item; empty where the destination takes the whole
  std::vector<source::PageId> pages;  ///< each once, in the order of their first item here
  std::uint64_t items = 0;
  std::uint64_t item_bytes = 0;  ///< of the items' JSON, not of the body
};

/// Adds a page to a batch's list, once.
inline void add_page(RecordBatch& batch, source::PageId page) {
  // Items come page by page, so only the last entry can be the same.
  if (batch.pages.empty() || !(batch.pages.back() == page)) {
    batch.pages.push_back(page);
  }
}

}  // namespace everyitem::batch
