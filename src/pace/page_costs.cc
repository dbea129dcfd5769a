#include "pace/page_costs.h"

#include <algorithm>
#include <cmath>

namespace everyitem::pace {

namespace {

/// How much of a page's weight remains with each following page: about 20 pages count.
constexpr double kFading = 0.95;

/// A page of 1 MB is charged for each 4 KB that it begins.
constexpr double kChargesPerPage = 256;

}  // namespace

PageCosts::PageCosts(double largest_page)
    : largest_page_(largest_page), charge_(largest_page / kChargesPerPage) {}

/// Half of a charge is what rounding adds on average. With it, a small page would look expensive,
/// and so remain small.
double PageCosts::units_per_item(std::uint64_t items, double units) const {
  return (units - charge_ / 2) / static_cast<double>(items);
}

std::optional<std::uint64_t> PageCosts::limit_for(const PageWish& wish) const {
  if (wish.target >= largest_page_) {
    return std::nullopt;
  }
  if (items_ < 1) {
    return 1;
  }
  const double per_item = expected_per_item(wish);
  const double items = std::max(std::floor(wish.target / per_item), std::ceil(wish.min / per_item));
  // Not many more than seen so far, because the following items may be a thousand times larger.
  return static_cast<std::uint64_t>(std::max(std::min(items, items_), 1.0));
}

double PageCosts::expected(const PageWish& wish, std::optional<std::uint64_t> limit) const {
  const auto known = static_cast<double>(std::max<std::uint64_t>(pages_known_, 1));
  double units = pages_ > 0 ? page_units_ / pages_ : largest_page_;
  if (limit && items_ > 0) {
    units = std::max(units, static_cast<double>(*limit) * item_units_ / items_);
  }
  return std::min(std::max(units, wish.target / known), largest_page_);
}

void PageCosts::add(std::uint64_t items, double units) {
  ++pages_known_;
  pages_ = pages_ * kFading + 1;
  page_units_ = page_units_ * kFading + units;
  if (items > 0) {
    items_ = items_ * kFading + static_cast<double>(items);
    item_units_ = item_units_ * kFading + units - charge_ / 2;
  }
}

/// The more expensive of the two, because a page that costs less than expected does no harm.
double PageCosts::expected_per_item(const PageWish& wish) const {
  return std::max(wish.units_per_item, item_units_ / items_);
}

}  // namespace everyitem::pace
