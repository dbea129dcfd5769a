#include "pace/read_gate.h"

#include <algorithm>
#include <utility>

#include <boost/asio/dispatch.hpp>

namespace everyitem::pace {

namespace {

/// Pages should cost what is earned in this time. It is half of what can be saved, so that a
/// throttled request does not keep the next from being sent; small compared with a minute, so that
/// pages that cost more than expected do not matter there; and no smaller, because DynamoDB rounds
/// the price of each page up to half a unit.
constexpr std::chrono::duration<double> kPageTime{0.25};

/// However low the rate: each page's cost is rounded up to a whole charge, by half a charge on
/// average, which is 3 percent of 16 charges and 4 of 12. A page of 12 to 16 charges (of half a
/// unit if reads are eventually consistent) is a matter of seconds at the lowest rates, but a
/// smaller one costs the user units for nothing.
constexpr double kTargetCharges = 16;
constexpr double kMinCharges = 12;

/// Of a run that several processes share, all pages together: each is saved by a write to one
/// partition of the checkpoint table, which takes 1,000 per second. A thousandth of a high rate
/// alone would have small pages: 4,000 per second at 40,000 units. Such a page is saved for, since
/// a thousand that start together and owe one each would exceed the rate by 4 percent in the first
/// minute.
constexpr double kMaxPagesPerSecond = 300;

/// The first in the queue checks again at least this often: pages that cost less than expected give
/// something back, and the rate may have changed.
constexpr std::chrono::milliseconds kLookAgain{20};

std::optional<std::uint64_t> smaller(std::optional<std::uint64_t> one,
                                     std::optional<std::uint64_t> other) {
  return one && other ? std::min(one, other) : (one ? one : other);
}

}  // namespace

Error rate_cannot_be_kept() {
  return usage_error("cannot enforce the read rate: this endpoint does not return ConsumedCapacity",
                     "Leave out " + enumerated({setting::kReadUnits, setting::kReadPercent}) + ".");
}

ReadGate::ReadGate(asio::any_io_executor executor, Clock& clock, std::optional<double> rate,
                   double largest_page, std::function<void()> without_rate)
    : executor_(std::move(executor)),
      clock_(clock),
      keeps_rate_(rate && !without_rate),
      has_rate_(rate.has_value()),
      without_rate_(std::move(without_rate)),
      run_rate_(rate.value_or(0)),
      rate_(rate.value_or(0)),
      costs_(largest_page) {}

void ReadGate::set_rate(std::optional<double> units, TimePoint until) {
  has_rate_ = units.has_value() && costs_are_known_;
  rate_ = units.value_or(0);
  rate_until_ = until;
}

ReadGate::Place::Place(ReadGate& pace)
    : pace_(pace),
      first_(pace.executor_),
      position_(pace.line_.insert(pace.line_.end(), &first_)) {}

ReadGate::Place::~Place() {
  pace_.line_.erase(position_);
  if (!pace_.line_.empty()) {
    pace_.line_.front()->notify_all();
  }
}

Awaitable<void> ReadGate::Place::wait_to_be_first() {
  while (pace_.line_.front() != &first_) {
    co_await first_.wait();
  }
}

Awaitable<void> ReadGate::take_here(ReadGrant& share, std::optional<std::uint64_t> max_items) {
  share.limit = max_items;
  share.taken.reset();
  if (rate()) {
    co_await wait_in_line(share, LimitIs::chosen);
  }
  share.since = clock_.now();
}

Awaitable<void> ReadGate::take_again_here(ReadGrant& share) {
  share.taken.reset();
  if (rate()) {
    co_await wait_in_line(share, LimitIs::given);
  }
  share.since = clock_.now();
}

Awaitable<void> ReadGate::wait_in_line(ReadGrant& share, LimitIs limit_is) {
  const std::optional<std::uint64_t> max_items = share.limit;
  Place place(*this);
  co_await place.wait_to_be_first();
  for (;;) {
    const std::optional<double> limit = rate();
    if (!limit) {
      co_return;
    }
    const double rate_now = *limit;
    if (rate_now <= 0) {
      earn_at(0);
      co_await clock_.sleep(kLookAgain);
      continue;
    }
    // Only now, because requests ahead in the queue may have shown what a page costs.
    PageWish wish;
    const double shared_min = run_rate_ / kMaxPagesPerSecond;
    wish.target =
        std::max({rate_now * kPageTime.count(), kTargetCharges * costs_.charge(), shared_min});
    wish.min = std::max(kMinCharges * costs_.charge(),
                        std::min(shared_min, kMinCharges / kTargetCharges * wish.target));
    wish.units_per_item = share.units_per_item;
    if (limit_is == LimitIs::chosen) {
      share.limit = smaller(costs_.limit_for(wish), max_items);
    }
    const double units = costs_.expected(wish, share.limit);
    const std::chrono::nanoseconds wait = try_to_take(units, rate_now, shared_min);
    if (wait.count() == 0) {
      share.taken = units;
      co_return;
    }
    co_await clock_.sleep(std::min<std::chrono::nanoseconds>(wait, kLookAgain));
  }
}

void ReadGate::earn_at(double rate_now) {
  const auto now = clock_.now();
  if (account_) {
    account_->set_rate(rate_now, now);
  } else {
    account_.emplace(rate_now, now);
  }
}

std::chrono::nanoseconds ReadGate::try_to_take(double units, double rate_now, double saved_for) {
  earn_at(rate_now);
  const std::chrono::nanoseconds wait = account_->wait_for(units, clock_.now(), saved_for);
  if (wait.count() == 0) {
    account_->take(units);
  }
  return wait;
}

void ReadGate::settle(ReadGrant& share, std::uint64_t items_scanned, std::optional<double> units) {
  if (keeps_rate_ && !units) {
    throw rate_cannot_be_kept();
  }
  const double cost = units.value_or(0);
  if (items_scanned > 0) {
    share.units_per_item = costs_.units_per_item(items_scanned, cost);
  }
  const auto taken = std::exchange(share.taken, std::nullopt);
  asio::dispatch(executor_, [this, taken, items_scanned, cost, known = units.has_value()] {
    if (!known) {
      costs_are_known_ = false;
      if (std::exchange(has_rate_, false) && without_rate_) {
        without_rate_();
      }
    }
    units_read_ += cost;
    costs_.add(items_scanned, cost);
    throttled_rate_.served(cost, clock_.now());
    if (taken) {
      account_->give_back(*taken);
      account_->take(cost);
    }
  });
}

void ReadGate::give_back(ReadGrant& share) {
  if (const auto taken = std::exchange(share.taken, std::nullopt)) {
    asio::dispatch(executor_, [this, taken] { account_->give_back(*taken); });
  }
}

void ReadGate::throttled(const ReadGrant& share) {
  asio::dispatch(executor_,
                 [this, since = share.since] { throttled_rate_.refused(since, clock_.now()); });
}

std::optional<double> ReadGate::rate() const {
  const auto now = clock_.now();
  if (has_rate_) {
    return now < rate_until_ ? rate_ : 0;
  }
  return throttled_rate_.at(now);
}

}  // namespace everyitem::pace
