#include "source/table_parts.h"

namespace everyitem::source {

std::optional<ScanPosition> TableParts::position_after(const Item& item) const {
  // The position in an index has the index's keys too, which the item may lack.
  if (context_.requests.of_index()) {
    return std::nullopt;
  }
  const auto key = StartKey::parse(key_of(item, context_.keys), context_.position_names);
  return key ? std::optional(ScanPosition{.last_evaluated_key = key->json()}) : std::nullopt;
}

std::optional<std::uint64_t> TableParts::page_limit(std::uint64_t items_left) const {
  // Scan's Limit counts items before the filter, so with a filter it makes pages small. That is
  // worth it only when a page cannot be cut.
  const ScanRequests& requests = context_.requests;
  return requests.filtered() && !requests.of_index() ? std::nullopt : std::optional(items_left);
}

}  // namespace everyitem::source
