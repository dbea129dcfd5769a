#include "run/rate_claim.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace everyitem::run {

namespace {

/// What each gets that wants more: the same, so that with what the others want it is `rate`.
double level_of(double rate, std::vector<double> wants) {
  std::ranges::sort(wants);
  double left = rate;
  std::size_t without = wants.size();
  for (const double want : wants) {
    const double even = left / static_cast<double>(without);
    if (want >= even) {
      return even;
    }
    left -= want;
    --without;
  }
  return rate;
}

}  // namespace

double next_claim(double rate, std::optional<double> wanted, std::span<const RateClaim> others) {
  const double want = std::min(wanted.value_or(rate), rate);
  std::vector<double> wants = {want};
  double claimed = 0;
  for (const RateClaim& other : others) {
    wants.push_back(std::min(other.wanted.value_or(rate), rate));
    claimed += other.units;
  }
  const double total = std::accumulate(wants.begin(), wants.end(), 0.0);
  const double nobodys = std::max(0.0, rate - total) / static_cast<double>(wants.size());
  const double share = std::min(want, level_of(rate, wants)) + nobodys;
  const double claim = std::clamp(rate - claimed, 0.0, share);
  constexpr double kEpsilon = 1e-9;  // rounding errors
  return claim < kEpsilon * rate ? 0 : claim;
}

std::optional<double> RateUse::wanted(double units_read, double claim, TimePoint now) {
  if (!since_) {
    since_ = now;
    read_before_ = units_read;
    return std::nullopt;
  }
  const double seconds = std::chrono::duration<double>(now - *since_).count();
  if (seconds > 0) {
    // At a low rate a page costs as much as several turns bring, so waiting for it does not count
    // as idle.
    constexpr double kOfTheLast = 0.25;
    used_ += kOfTheLast * ((units_read - read_before_) / seconds - used_);
    claimed_ += kOfTheLast * (claim - claimed_);
    since_ = now;
    read_before_ = units_read;
  }
  if (used_ >= kUsed * claimed_) {
    return std::nullopt;
  }
  return used_ / kUsed;
}

}  // namespace everyitem::run
