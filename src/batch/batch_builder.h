// Items in, batches out: what a destination provides to fill its batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "batch/record_batch.h"
#include "source/scan_page.h"

namespace everyitem::batch {

enum class AddResult {
  added,
  full,       ///< does not fit into this batch: seal it, then add the item again
  too_large,  ///< fits into no batch
};

/// What became of several items.
struct AddedItems {
  std::size_t count = 0;              ///< this many were added, from the front
  AddResult next = AddResult::added;  ///< why the item after them was not; added: all were
};

/// Builds the batches of one lane. One event loop. The items are copied: their page may go once
/// `add` returned.
class BatchBuilder {
 public:
  BatchBuilder() = default;
  BatchBuilder(const BatchBuilder&) = delete;
  BatchBuilder& operator=(const BatchBuilder&) = delete;
  virtual ~BatchBuilder() = default;

  /// Adds an item to the batch, with RecordBatch::add. An item that is not `too_large` always fits
  /// into an empty batch.
  virtual AddResult add(const source::Item& item, source::PageId page) = 0;
  /// Adds items in order, up to the first that cannot be added.
  virtual AddedItems add_all(const source::Items& items, source::PageId page);
  /// How long an item is in the format of the records.
  virtual std::size_t formatted_length(const source::Item& item) { return item.json.size(); }
  /// Why an item was too large, for the user: "the stream takes records of at most ...".
  virtual std::string size_limit() const = 0;
  /// Whether nothing was added since the last `seal`.
  virtual bool empty() const = 0;
  /// Returns the batch built so far, which must hold an item, and starts the next one.
  virtual RecordBatch seal() = 0;

  /// Bytes, in their format, of all items that were ever added; 0 if that is as they were read.
  std::uint64_t formatted_bytes() const { return formatted_bytes_; }

 protected:
  /// For each item that was added to `batch`, unless its format is as it was read.
  void count_formatted(std::size_t bytes, RecordBatch& batch) {
    batch.formatted_lengths.push_back(static_cast<std::uint32_t>(bytes));
    formatted_bytes_ += bytes;
  }

 private:
  std::uint64_t formatted_bytes_ = 0;
};

inline AddedItems BatchBuilder::add_all(const source::Items& items, source::PageId page) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const AddResult result = add(items[i], page); result != AddResult::added) {
      return {.count = i, .next = result};
    }
  }
  return {.count = items.size(), .next = AddResult::added};
}

}  // namespace everyitem::batch
