#include "pace/page_costs.h"

#include <algorithm>

namespace everyitem::pace {

namespace {

/// How much of a page's weight remains with each following page: about 20 pages count.
constexpr double kFading = 0.95;

}  // namespace

std::optional<std::uint64_t> PageCosts::limit_for(const PageWish& wish) const {
  if (wish.target >= largest_page_) {
    return std::nullopt;
  }
  if (items_ < 1) {
    return 1;
  }
  // Not many more than seen so far, because the following items may be a thousand times larger.
  const double items = std::min(wish.target / units_per_item(wish), items_);
  return static_cast<std::uint64_t>(std::max(items, 1.0));
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
    item_units_ = item_units_ * kFading + units;
  }
}

/// The more expensive of the two, because a page that costs less than expected does no harm.
double PageCosts::units_per_item(const PageWish& wish) const {
  return std::max(wish.units_per_item, item_units_ / items_);
}

}  // namespace everyitem::pace
