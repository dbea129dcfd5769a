#include "pace/token_account.h"

namespace everyitem::pace {

void TokenAccount::set_rate(double units_per_second, TimePoint now) {
  earn(now);
  rate_ = units_per_second;
}

std::chrono::nanoseconds TokenAccount::wait_for(double units, TimePoint now, double saved_for) {
  saved_for_ = saved_for;
  earn(now);
  const double missing = std::min(units, max_saved()) - balance_;
  // Less than a billionth missing is a rounding error, and would mean waiting for 0 ns each time.
  constexpr double kEpsilon = 1e-9;
  if (missing <= rate_ * kEpsilon) {
    saved_for_ = 0;
    return std::chrono::nanoseconds(0);
  }
  // At a tiny rate this exceeds the range of a duration; callers check again in the meantime.
  constexpr double kLongest = 3600;
  return std::chrono::ceil<std::chrono::nanoseconds>(
      std::chrono::duration<double>(std::min(missing / rate_, kLongest)));
}

void TokenAccount::earn(TimePoint now) {
  const double seconds = std::chrono::duration<double>(now - as_of_).count();
  // Units given back are kept, because they were earned earlier, when there was demand for them.
  balance_ = std::max(balance_, std::min(balance_ + rate_ * seconds, max_saved()));
  as_of_ = now;
}

}  // namespace everyitem::pace
