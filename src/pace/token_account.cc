#include "pace/token_account.h"

#include <algorithm>

namespace everyitem::pace {

void TokenAccount::set_rate(double units_per_second, TimePoint now) {
  earn(now);
  rate_ = units_per_second;
}

std::chrono::nanoseconds TokenAccount::wait_for(double units, TimePoint now) {
  earn(now);
  const double missing = std::min(units, max_saved()) - balance_;
  // What is missing of a billionth is rounding, and would be waited for 0 ns each time.
  constexpr double kNothing = 1e-9;
  if (missing <= rate_ * kNothing) {
    return std::chrono::nanoseconds(0);
  }
  // At a tiny rate more than a duration can hold; who waits so long asks again meanwhile.
  constexpr double kLongest = 3600;
  return std::chrono::ceil<std::chrono::nanoseconds>(
      std::chrono::duration<double>(std::min(missing / rate_, kLongest)));
}

void TokenAccount::earn(TimePoint now) {
  const double seconds = std::chrono::duration<double>(now - as_of_).count();
  // What was given back is kept: it was earned before, when there was demand for it.
  balance_ = std::max(balance_, std::min(balance_ + rate_ * seconds, max_saved()));
  as_of_ = now;
}

}  // namespace everyitem::pace
