// Estimates what the pages of a table cost from those already read.
#pragma once

#include <cstdint>
#include <optional>

namespace everyitem::pace {

/// A page to be requested.
struct PageWish {
  /// The desired cost, in read units.
  double target = 0;
  double min = 0;  ///< It should not cost less.
  /// The value of the segment's previous page; 0 if unknown. Segments can differ, because all items
  /// of a hash key are in the same segment.
  double units_per_item = 0;
};

/// One event loop.
class PageCosts {
 public:
  /// `largest_page` is the cost of a page of 1 MB, in read units.
  explicit PageCosts(double largest_page);

  /// The smallest cost of a page, and the step in which costs grow: for each 4 KB that are begun.
  double charge() const { return charge_; }
  /// The cost of an item on such a page, rounding left out. `items` is above 0.
  double units_per_item(std::uint64_t items, double units) const;

  /// The Limit (1 or more) for a page of about the desired cost; nothing if no limit is needed.
  /// While little is known about the items, pages have few items, which at most double.
  std::optional<std::uint64_t> limit_for(const PageWish& wish) const;

  /// The typical cost of a page of at most `limit` items, in read units: that of the last pages, or
  /// more if it has more items. While only n pages are known, at least an n-th of the desired cost;
  /// otherwise hundreds could be requested at once for the price of one small item.
  double expected(const PageWish& wish, std::optional<std::uint64_t> limit) const;

  /// Records the cost of a page. `items` is the number evaluated, before the filter.
  void add(std::uint64_t items, double units);

 private:
  double expected_per_item(const PageWish& wish) const;

  double largest_page_;
  double charge_;
  std::uint64_t pages_known_ = 0;
  // Weighted sums over the last pages; the latest have the most weight.
  double pages_ = 0;
  double page_units_ = 0;
  double items_ = 0;
  double item_units_ = 0;  ///< of pages that had items, rounding left out
};

}  // namespace everyitem::pace
