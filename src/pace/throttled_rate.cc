#include "pace/throttled_rate.h"

#include <algorithm>

namespace everyitem::pace {

void ThrottledRate::served(double units, TimePoint now) {
  if (!second_began_) {
    second_began_ = now;
  }
  measure(now);
  in_this_second_ += units;
}

void ThrottledRate::refused(TimePoint sent, TimePoint now) {
  measure(now);
  const bool judged = !decreased_at_ || sent >= *decreased_at_ + kSettling;
  if (max_measured_ <= 0 || !judged) {
    return;
  }
  increase_ = max_measured_ * kIncrease;
  const double reached = std::min(measured_, at(now).value_or(measured_));
  rate_ = std::max(reached * kDecrease, max_measured_ * kMin);
  decreased_at_ = now;
}

std::optional<double> ThrottledRate::at(TimePoint now) const {
  if (!decreased_at_) {
    return std::nullopt;
  }
  const double seconds = std::chrono::duration<double>(now - *decreased_at_).count();
  return rate_ + increase_ * seconds;
}

void ThrottledRate::measure(TimePoint now) {
  constexpr std::chrono::seconds kMeasuredFor{1};
  if (!second_began_ || now - *second_began_ < kMeasuredFor) {
    return;
  }
  measured_ = in_this_second_ / std::chrono::duration<double>(now - *second_began_).count();
  max_measured_ = std::max(max_measured_, measured_);
  second_began_ = now;
  in_this_second_ = 0;
}

}  // namespace everyitem::pace
