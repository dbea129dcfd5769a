// The record format `plain`: an item as the JSON that people write by hand. See docs/formats.md.
#pragma once

#include <string>
#include <string_view>

#include "base/padded_buffer.h"
#include "batch/item_format.h"

namespace everyitem::batch {

/// What to do with what JSON cannot say.
struct PlainJsonOptions {
  /// Numbers become strings: JavaScript rounds those above 2^53 without a word.
  bool numbers_as_strings = false;
  /// A member "$types" says the types that JSON has lost, so that the item can be restored.
  bool with_types = false;

  friend bool operator==(const PlainJsonOptions&, const PlainJsonOptions&) = default;
};

/// Reads the item's text once, without a tree. Strings, escapes and digits are copied as they
/// are; white space between values is left out; members keep their order.
class PlainJson final : public ItemFormat {
 public:
  explicit PlainJson(PlainJsonOptions options) : options_(options) {}

  /// Throws Error if the item is not DynamoDB JSON, or nested more than 64 levels deep (DynamoDB:
  /// 32); then `to` has part of it.
  void append(const source::Item& item, PaddedBuffer& to) const override;

 private:
  PlainJsonOptions options_;
};

}  // namespace everyitem::batch
