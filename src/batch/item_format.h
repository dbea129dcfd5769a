// How an item becomes the bytes that its destination gets.
#pragma once

#include <string_view>

#include "base/padded_buffer.h"
#include "source/scan_page.h"

namespace everyitem::batch {

/// A record format, as users choose it; item_formats.cc lists them. Pure: no network, no clock.
class ItemFormat {
 public:
  ItemFormat() = default;
  ItemFormat(const ItemFormat&) = delete;
  ItemFormat& operator=(const ItemFormat&) = delete;
  virtual ~ItemFormat() = default;

  /// Appends to `to` what a record, or a line, holds of `item`. Called from every event loop.
  virtual void append(const source::Item& item, PaddedBuffer& to) const = 0;
};

/// Items in a format; null means the format `item`: the item's DynamoDB JSON, byte for byte. That
/// one costs neither a copy nor a virtual call. One event loop.
class FormattedItems {
 public:
  /// The format outlives this.
  explicit FormattedItems(const ItemFormat* format) : format_(format) {}

  /// Whether the bytes are the item as it was read.
  bool as_read() const { return format_ == nullptr; }

  /// The bytes of `item`: valid as long as the item, and until the next call.
  std::string_view bytes_of(const source::Item& item) {
    if (format_ == nullptr) {
      return item.json;
    }
    bytes_.clear();
    format_->append(item, bytes_);
    return bytes_.view();
  }

 private:
  const ItemFormat* format_;
  PaddedBuffer bytes_;
};

}  // namespace everyitem::batch
