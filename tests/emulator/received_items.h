// What has arrived, held against what was served.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/generated_table.h"

namespace everyitem::emulator {

struct ReceivedCounts {
  std::uint64_t distinct = 0;    ///< items that came at least once, unaltered
  std::uint64_t duplicates = 0;  ///< arrivals of an item that was there already
  std::uint64_t altered = 0;     ///< arrivals that differ from the item of their key
  std::uint64_t unknown = 0;     ///< arrivals that are no item of the table
};

/// One event loop. Takes one bit an item.
class ReceivedItems {
 public:
  explicit ReceivedItems(const GeneratedTable& table);

  /// Compares the record's data with the item whose key it has.
  void add(std::string_view data);

  const ReceivedCounts& counts() const { return counts_; }
  /// Items that never came, those among them that cannot
  /// (EmulatedServices::undeliverable).
  std::uint64_t missing() const { return table_.shape().items - counts_.distinct; }
  /// Whether item `number` has come.
  bool has(std::uint64_t number) const { return seen_.at(number); }

 private:
  const GeneratedTable& table_;
  std::vector<bool> seen_;
  ReceivedCounts counts_;
};

}  // namespace everyitem::emulator
