#include "pipeline/budget_claim.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace everyitem::pipeline {

namespace {

/// What each gets that wants more: the same, so that with what the others want it is `budget`.
double level_of(double budget, std::vector<double> wants) {
  std::ranges::sort(wants);
  double left = budget;
  std::size_t without = wants.size();
  for (const double want : wants) {
    const double even = left / static_cast<double>(without);
    if (want >= even) {
      return even;
    }
    left -= want;
    --without;
  }
  return budget;
}

}  // namespace

double next_claim(double budget, std::optional<double> wanted,
                  std::span<const BudgetClaim> others) {
  const double want = std::min(wanted.value_or(budget), budget);
  std::vector<double> wants = {want};
  double claimed = 0;
  for (const BudgetClaim& other : others) {
    wants.push_back(std::min(other.wanted.value_or(budget), budget));
    claimed += other.units;
  }
  const double total = std::accumulate(wants.begin(), wants.end(), 0.0);
  const double nobodys = std::max(0.0, budget - total) / static_cast<double>(wants.size());
  const double share = std::min(want, level_of(budget, wants)) + nobodys;
  const double claim = std::clamp(budget - claimed, 0.0, share);
  constexpr double kNothing = 1e-9;  // what is left of rounding
  return claim < kNothing * budget ? 0 : claim;
}

std::optional<double> BudgetUse::wanted(double units_read, double claim, TimePoint now) {
  if (!since_) {
    since_ = now;
    read_before_ = units_read;
    return std::nullopt;
  }
  const double seconds = std::chrono::duration<double>(now - *since_).count();
  if (seconds > 0) {
    // With a small budget a page costs what several turns bring: waiting for it is no idleness.
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

}  // namespace everyitem::pipeline
