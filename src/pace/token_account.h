// The account of a read rate: units earned and spent.
#pragma once

#include <algorithm>
#include <chrono>

namespace everyitem::pace {

/// Earns read units at a rate and pays for pages with them. Part of a page's price is known only
/// after it was read, so the account can be overdrawn, and then earns until that is paid back. It
/// saves up to half a second's earnings: over any minute, less than one percent above the rate is
/// spent, apart from the excess cost of the last pages of that minute. It saves more only for a
/// page that is waited for. One event loop.
class TokenAccount {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kMaxSaved{500};

  /// Starts empty at `now`. `units_per_second` is 0 or more.
  TokenAccount(double units_per_second, TimePoint now) : rate_(units_per_second), as_of_(now) {}

  /// Sets the rate from `now` on: 0 or more.
  void set_rate(double units_per_second, TimePoint now);
  double rate() const { return rate_; }

  /// How long until a page of `units` can be paid for; 0 if now. The rate is above 0. Up to
  /// `saved_for` units are saved for it even if these are more than half a second's earnings. A
  /// page that costs more than can be saved overdraws the account.
  std::chrono::nanoseconds wait_for(double units, TimePoint now, double saved_for = 0);

  void take(double units) { balance_ -= units; }
  void give_back(double units) { balance_ += units; }

 private:
  void earn(TimePoint now);
  double max_saved() const {
    return std::max(saved_for_, rate_ * std::chrono::duration<double>(kMaxSaved).count());
  }

  double rate_;
  double balance_ = 0;
  double saved_for_ = 0;  ///< 0 while nobody waits
  TimePoint as_of_;
};

}  // namespace everyitem::pace
