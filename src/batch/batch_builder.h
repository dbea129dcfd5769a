// Items in, batches out: what a destination provides to fill its batches.
#pragma once

#include <cstddef>
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
  /// Why an item was too large, for the user: "the stream takes records of at most ...".
  virtual std::string size_limit() const = 0;
  /// Whether nothing was added since the last `seal`.
  virtual bool empty() const = 0;
  /// Returns the batch built so far, which must hold an item, and starts the next one.
  virtual RecordBatch seal() = 0;
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
