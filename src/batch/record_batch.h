// What goes to a destination in one piece, and the items that it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/padded_buffer.h"
#include "base/sha256.h"
#include "source/scan_position.h"

namespace everyitem::batch {

/// One record in the body of its batch, in bytes. 32 bits suffice: a request has at most 10 MiB,
/// and a batch of lines about 1 MiB, or a single item of a page, which is shorter than 4 GiB.
struct RecordSpan {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

/// One item of a batch, as it was read.
struct BatchItem {
  std::uint32_t record = 0;  ///< index of the record that holds it
  std::uint32_t offset = 0;  ///< into RecordBatch::text()
  std::uint32_t length = 0;
};

/// How many of a batch's items are from one page.
struct BatchPage {
  source::PageId page;
  std::uint64_t items = 0;

  friend bool operator==(const BatchPage&, const BatchPage&) = default;
};

/// A batch knows each of its items as it was read, and the page it is from. So the pipeline can
/// tell the ack tracker which pages were delivered, and write a dead letter for any item, without
/// knowing how the destination encodes them.
struct RecordBatch {
  PaddedBuffer body;             ///< what the destination is sent
  std::optional<Sha256> sha256;  ///< of the body, if already known
  /// The records in the body, for destinations that can take or refuse one without the others.
  /// Empty if the destination takes the body as a whole; then each item counts as a record.
  std::vector<RecordSpan> records;
  std::vector<BatchItem> items;  ///< in the order they were added, page by page
  std::vector<BatchPage> pages;  ///< in the order of their items
  /// The items one after the other, as they were read. Empty if the body holds them byte for byte.
  PaddedBuffer separate_text;
  /// How long each item is in its format. Empty if that is the item as it was read.
  std::vector<std::uint32_t> formatted_lengths;
  /// The primary key of each item, in JSON, if the items were read without theirs
  /// (source::AddedKeys); otherwise empty.
  std::vector<std::string> separate_keys;

  /// Adds the entry of one more item, of `page`.
  void add(const BatchItem& item, source::PageId page) {
    // Items come page by page, so only the last entry can be the same.
    if (pages.empty() || !(pages.back().page == page)) {
      pages.push_back({.page = page});
    }
    ++pages.back().items;
    items.push_back(item);
  }

  std::string_view text() const& {
    return separate_text.empty() ? body.view() : separate_text.view();
  }
  std::string_view text() && = delete;
  /// An item as it was read. Valid as long as the batch.
  std::string_view item_text(std::size_t index) const& {
    const BatchItem& item = items.at(index);
    return text().substr(item.offset, item.length);
  }
  std::string_view item_text(std::size_t index) && = delete;
  /// Index into `pages` of the page that an item is from.
  std::size_t page_index(std::size_t item_index) const;

  std::size_t record_count() const { return records.empty() ? items.size() : records.size(); }
  /// Bytes of the items as they were read.
  std::uint64_t item_bytes() const;
  /// Bytes of the items in their format.
  std::uint64_t formatted_bytes() const;
  /// Of one of them.
  std::uint32_t formatted_length(std::size_t index) const {
    return formatted_lengths.empty() ? items.at(index).length : formatted_lengths.at(index);
  }
  /// Bytes that the batch takes in memory, about.
  std::size_t memory_bytes() const {
    return body.size() + separate_text.size() + records.size() * sizeof(RecordSpan) +
           items.size() * sizeof(BatchItem) + formatted_lengths.size() * sizeof(std::uint32_t) +
           separate_keys_bytes();
  }
  std::size_t separate_keys_bytes() const;
};

}  // namespace everyitem::batch
