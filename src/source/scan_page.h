// One Scan response: its bytes, owned once, and slices of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/padded_buffer.h"
#include "source/scan_position.h"

namespace everyitem::source {

/// Which attributes of the key are read only to know the key: Item::json is without them.
struct AddedKeys {
  bool hash = false;
  bool range = false;

  bool any() const { return hash || range; }
  friend bool operator==(const AddedKeys&, const AddedKeys&) = default;
};

/// The names of a table's primary key attributes; `range` is empty if the key has no such part.
struct KeyNames {
  std::string hash;
  std::string range;
  AddedKeys added = {};
};

/// One item: slices of the page's bytes, valid as long as the page.
struct Item {
  std::string_view json;       ///< the item's DynamoDB JSON, byte for byte as received
  std::string_view hash_key;   ///< the key attribute's value: {"S":"a"}; empty if it did not come
  std::string_view range_key;  ///< the same; empty if the key has no such part
};

/// Where a scan continues after `item`: its primary key is as good a start as the LastEvaluatedKey
/// that DynamoDB chooses. Nothing if the item lacks part of its key. Not for scans of an index,
/// whose keys have more parts.
std::optional<ScanPosition> position_behind(const Item& item, const KeyNames& keys);

/// The primary key of an item, in JSON; empty if the item lacks part of its key.
std::string key_of(const Item& item, const KeyNames& keys);

/// The same of an item given as JSON. Throws aws::MalformedResponse if it is not an item.
std::string key_of(std::string_view json, const KeyNames& keys);

/// Owns the bytes. Slices cannot be taken from a temporary page (see tests/compile_fail). Moving
/// the page keeps its slices valid.
class ScanPage {
 public:
  /// Finds the items of a Scan response. Throws aws::MalformedResponse if it is not one: not
  /// JSON, no Items, or a Count that differs from the number of items. Any thread.
  static ScanPage parse(PaddedBuffer body, const KeyNames& keys);

  std::span<const Item> items() const& noexcept { return items_; }
  std::span<const Item> items() && = delete;

  /// As received (JSON); empty if this is the segment's last page.
  std::string_view last_evaluated_key() const& noexcept { return last_evaluated_key_; }
  std::string_view last_evaluated_key() && = delete;

  /// Items that DynamoDB evaluated: more than it sent, if there is a filter.
  std::uint64_t scanned_count() const noexcept { return scanned_count_; }
  /// Read units this page cost, as reported by DynamoDB; nothing if it does not report them.
  std::optional<double> consumed_read_units() const noexcept { return consumed_read_units_; }
  std::size_t size_bytes() const noexcept { return body_.size() + kept_.size(); }
  /// That it takes, its items included.
  std::size_t memory_bytes() const noexcept {
    return body_.capacity() + kept_.capacity() + items_.capacity() * sizeof(Item);
  }

 private:
  ScanPage() = default;

  PaddedBuffer body_;
  PaddedBuffer kept_;  ///< the items without KeyNames::added; empty if there are none of these
  std::vector<Item> items_;
  std::string_view last_evaluated_key_;
  std::uint64_t scanned_count_ = 0;
  std::optional<double> consumed_read_units_;
};

}  // namespace everyitem::source
