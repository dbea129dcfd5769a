// The record formats that users can choose. A new one is a file of its own, and a line in the list.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "batch/item_format.h"
#include "batch/plain_json.h"
#include "source/scan_page.h"

namespace everyitem::batch {

/// What a format may put around an item, and how.
struct ItemFormatContext {
  std::string table;
  source::KeyNames keys;
  PlainJsonOptions plain = {};
};

struct NamedItemFormat {
  std::string_view name;
  /// Null for `item`, as for FormattedItems.
  std::unique_ptr<ItemFormat> (*make)(const ItemFormatContext&);
};

/// The default is the first.
std::span<const NamedItemFormat> item_formats();

/// The format of this name; null for `item`. Throws std::invalid_argument if there is none.
std::unique_ptr<ItemFormat> make_item_format(std::string_view name,
                                             const ItemFormatContext& context);

}  // namespace everyitem::batch
