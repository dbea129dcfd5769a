// The read rate's books: what was earned and what was spent.
#pragma once

#include <chrono>

namespace everyitem::pace {

/// Earns read units at a rate and pays for pages with them. Part of a page's price is known only
/// once it was read, so it can be in debt, and then earns until that is paid. It saves up to half
/// a second's earnings: over any minute less than a percent above the rate is spent, but for what
/// the last pages of that minute cost more than was expected. One event loop.
class TokenAccount {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kMaxSaved{500};

  /// Begins at `now` with nothing. `units_per_second` is 0 or more.
  TokenAccount(double units_per_second, TimePoint now) : rate_(units_per_second), as_of_(now) {}

  /// From `now` on it earns as much: 0 or more.
  void set_rate(double units_per_second, TimePoint now);
  double rate() const { return rate_; }

  /// How long until a page of `units` may be paid for; 0 when at once. The rate is above 0. One
  /// that costs more than can ever be saved is paid for in debt.
  std::chrono::nanoseconds wait_for(double units, TimePoint now);

  void take(double units) { balance_ -= units; }
  void give_back(double units) { balance_ += units; }

 private:
  void earn(TimePoint now);
  double max_saved() const { return rate_ * std::chrono::duration<double>(kMaxSaved).count(); }

  double rate_;
  double balance_ = 0;
  TimePoint as_of_;
};

}  // namespace everyitem::pace
