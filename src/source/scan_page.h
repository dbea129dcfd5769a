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

/// Where an item's slices are: its JSON in one text, its key attributes in another or the same.
/// Half the size of an Item, since a page has up to 20,000.
class ItemPlace {
 public:
  /// The slices must be in the texts, of less than 4 GiB each; a key attribute may be empty.
  ItemPlace(const Item& item, const char* text, const char* key_text)
      : json_(item.json, text),
        hash_key_(item.hash_key, key_text),
        range_key_(item.range_key, key_text) {}

  Item in(const char* text, const char* key_text) const {
    return {.json = json_.in(text),
            .hash_key = hash_key_.in(key_text),
            .range_key = range_key_.in(key_text)};
  }

 private:
  struct Slice {
    Slice(std::string_view slice, const char* text)
        : offset(slice.empty() ? 0 : static_cast<std::uint32_t>(slice.data() - text)),
          size(static_cast<std::uint32_t>(slice.size())) {}
    std::string_view in(const char* text) const { return {text + offset, size}; }

    std::uint32_t offset;
    std::uint32_t size;
  };

  Slice json_;
  Slice hash_key_;
  Slice range_key_;
};

/// Items of one page, one after the other. Valid as long as the page; each Item is made when it is
/// asked for.
class Items {
 public:
  class Iterator {
   public:
    Iterator(const Items& items, std::size_t index) : items_(&items), index_(index) {}
    Item operator*() const { return (*items_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const Items* items_;
    std::size_t index_;
  };

  Items() = default;
  Items(std::span<const ItemPlace> places, const char* text, const char* key_text)
      : places_(places), text_(text), key_text_(key_text) {}

  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }
  Item operator[](std::size_t index) const { return places_[index].in(text_, key_text_); }
  Items first(std::size_t count) const { return {places_.first(count), text_, key_text_}; }
  Items from(std::size_t index) const { return {places_.subspan(index), text_, key_text_}; }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  std::span<const ItemPlace> places_;
  const char* text_ = nullptr;
  const char* key_text_ = nullptr;
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

  Items items() const& noexcept {
    return {items_, kept_.empty() ? body_.data() : kept_.data(), body_.data()};
  }
  Items items() && = delete;

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
    return body_.capacity() + kept_.capacity() + items_.capacity() * sizeof(ItemPlace);
  }

 private:
  ScanPage() = default;

  PaddedBuffer body_;
  PaddedBuffer kept_;  ///< the items without KeyNames::added; empty if there are none of these
  std::vector<ItemPlace> items_;
  std::string_view last_evaluated_key_;
  std::uint64_t scanned_count_ = 0;
  std::optional<double> consumed_read_units_;
};

}  // namespace everyitem::source
