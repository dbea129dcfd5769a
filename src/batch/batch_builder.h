// Items in, batches out: what each destination's format provides.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "batch/record_batch.h"
#include "source/scan_page.h"

namespace everyitem::batch {

enum class AddResult {
  added,
  full,       ///< does not fit with what is there: seal, then add it again
  too_large,  ///< fits into no batch
};

/// What became of several items.
struct AddedItems {
  std::size_t count = 0;              ///< the first so many were added
  AddResult next = AddResult::added;  ///< why the one behind them was not; added: all were
};

/// One event loop. The items are copied in; their page may go once `add` returned.
class BatchBuilder {
 public:
  BatchBuilder() = default;
  BatchBuilder(const BatchBuilder&) = delete;
  BatchBuilder& operator=(const BatchBuilder&) = delete;
  virtual ~BatchBuilder() = default;

  virtual AddResult add(const source::Item& item, source::PageId page) = 0;
  /// Adds items, in their order, up to the first that cannot be.
  virtual AddedItems add_all(std::span<const source::Item> items, source::PageId page);
  /// Why an item was too large: what its destination takes at most, for the user.
  virtual std::string size_limit() const = 0;
  /// What has been added since the last `seal`.
  virtual const RecordBatch& current() const = 0;
  bool empty() const { return current().items == 0; }
  /// Gives the batch built so far, which must hold an item, and begins the next.
  virtual RecordBatch seal() = 0;
};

inline AddedItems BatchBuilder::add_all(std::span<const source::Item> items, source::PageId page) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const AddResult result = add(items[i], page); result != AddResult::added) {
      return {.count = i, .next = result};
    }
  }
  return {.count = items.size(), .next = AddResult::added};
}

}  // namespace everyitem::batch
