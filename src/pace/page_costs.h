// What the pages of a table cost, learned from those that were read.
#pragma once

#include <cstdint>
#include <optional>

namespace everyitem::pace {

/// A page that is to be asked for.
struct PageWish {
  /// What it should cost, in read units.
  double target = 0;
  /// Of the segment's page before; 0 where that is not known. Segments may differ: the items of one
  /// hash key lie side by side.
  double units_per_item = 0;
};

/// One event loop.
class PageCosts {
 public:
  /// `largest_page`: read units of a page of 1 MB.
  explicit PageCosts(double largest_page) : largest_page_(largest_page) {}

  /// The Limit (1 or more) of a page that costs about what it should; nothing where any page will
  /// do. While little is known of the items, pages have few, and double.
  std::optional<std::uint64_t> limit_for(const PageWish& wish) const;

  /// What a page of at most `limit` items will cost as a rule, in read units: what the last pages
  /// did, or more where it has more items. While only n pages are known, an n-th of what it should
  /// cost at least: hundreds could else be asked for at once by the price of one small item.
  double expected(const PageWish& wish, std::optional<std::uint64_t> limit) const;

  /// What a page came to. `items`: that were looked at, before the filter.
  void add(std::uint64_t items, double units);

 private:
  double units_per_item(const PageWish& wish) const;

  double largest_page_;
  std::uint64_t pages_known_ = 0;
  // Of the last pages, the latest with the most weight.
  double pages_ = 0;
  double page_units_ = 0;
  double items_ = 0;
  double item_units_ = 0;  ///< of those pages that had items
};

}  // namespace everyitem::pace
