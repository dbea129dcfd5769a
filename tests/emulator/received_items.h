// Compares what has arrived with what was served.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/generated_table.h"

namespace everyitem::emulator {

struct ReceivedCounts {
  std::uint64_t distinct = 0;    ///< items that arrived at least once, unaltered
  std::uint64_t duplicates = 0;  ///< repeated arrivals of an item
  std::uint64_t altered = 0;     ///< arrivals that differ from the item with their key
  std::uint64_t unknown = 0;     ///< arrivals that are not items of the table
};

/// One event loop. Takes one bit per item.
class ReceivedItems {
 public:
  explicit ReceivedItems(const GeneratedTable& table);

  /// Compares the record's data with the item that has its key.
  void add(std::string_view data);

  const ReceivedCounts& counts() const { return counts_; }
  /// Items that have not arrived, including those that cannot
  /// (EmulatedServices::undeliverable).
  std::uint64_t missing() const { return table_.shape().items - counts_.distinct; }
  /// Whether item `number` has arrived.
  bool has(std::uint64_t number) const { return seen_.at(number); }

 private:
  const GeneratedTable& table_;
  std::vector<bool> seen_;
  ReceivedCounts counts_;
};

}  // namespace everyitem::emulator
