// Decides when the next page may be read and how large it should be: by the user's read rate or,
// without one, by the table's throttling. See docs/adr/2026-11-24-read-rate.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>

#include "base/async.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/on_loop.h"
#include "pace/page_costs.h"
#include "pace/throttled_rate.h"
#include "pace/token_account.h"

namespace everyitem::pace {

/// A usage error: the endpoint does not report what a page costs, so no rate can be kept that the
/// user gave.
Error rate_cannot_be_kept();

/// The next page a segment may read.
struct ReadGrant {
  std::optional<std::uint64_t> limit;  ///< Scan's Limit for the page, if it needs one
  /// Read units withdrawn until the cost of the page is known; nothing while reading is not
  /// limited.
  std::optional<double> taken;
  std::chrono::steady_clock::time_point since;  ///< when the page could be requested
  double units_per_item = 0;                    ///< of the previous page; 0 if unknown
};

/// Shared by all segments of a run. To read a page, a segment waits in a queue for a grant, and
/// settles it when the page has arrived. No segment owns a part of the rate: what one does not use,
/// because it is finished or throttled, is available to the next in the queue. Callable from any
/// event loop: the work is done on the loop `executor`, and each grant belongs to one caller. Must
/// outlive everyone who waits.
class ReadGate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `rate` is the read rate of the run in units per second, above 0; without one, reading is not
  /// limited until the table throttles. Until `set_rate` says otherwise, this process has all of
  /// it. `largest_page` is the cost of a page of 1 MB.
  /// `without_rate`, unless it is empty, is called on the loop `executor` when the endpoint does
  /// not report what a page costs: from then on the gate has no rate.
  ReadGate(asio::any_io_executor executor, Clock& clock, std::optional<double> rate,
           double largest_page, std::function<void()> without_rate = {});

  /// Changes the rate of this process (0 or more) until `until`; after that, nothing is read until
  /// it is set again. Nothing: there is no rate from then on. Does nothing once pages have not said
  /// what they cost. On the loop `executor`.
  void set_rate(std::optional<double> units, TimePoint until);
  /// All units settled so far. On the loop `executor`.
  double units_read() const { return units_read_; }

  /// Waits until the segment's next page may be requested, with at most `max_items` if given. First
  /// come, first served. Throws boost::system::system_error(operation_aborted) when
  /// cancelled.
  Awaitable<void> take(ReadGrant& share, std::optional<std::uint64_t> max_items) {
    return on_loop(executor_, take_here(share, max_items));
  }

  /// The page has arrived. Throws a usage error if there must be a rate but DynamoDB did not report
  /// the cost of the page.
  void settle(ReadGrant& share, std::uint64_t items_scanned, std::optional<double> units);

  /// DynamoDB rejected the request, so nothing was read. The caller retries later with
  /// `take_again`, or gives up.
  void give_back(ReadGrant& share);
  /// The reason was throttling.
  void throttled(const ReadGrant& share);
  /// Waits like `take`, for another attempt at the same page. Units that were not given back may
  /// have been charged for a lost response, so they stay spent.
  Awaitable<void> take_again(ReadGrant& share) {
    return on_loop(executor_, take_again_here(share));
  }

 private:
  /// A place in the queue, from its construction on.
  class Place {
   public:
    explicit Place(ReadGate& pace);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Awaitable<void> wait_to_be_first();

   private:
    ReadGate& pace_;
    Event first_;
    std::list<Event*>::iterator position_;
  };

  Awaitable<void> take_here(ReadGrant& share, std::optional<std::uint64_t> max_items);
  Awaitable<void> take_again_here(ReadGrant& share);
  /// Read units per second, possibly 0; nothing while reading is not limited.
  std::optional<double> rate() const;
  enum class LimitIs { chosen, given };
  Awaitable<void> wait_in_line(ReadGrant& share, LimitIs limit_is);
  void earn_at(double rate_now);
  /// 0 if `units` were taken, otherwise how long to wait. `rate_now` is above 0. `saved_for`: as
  /// TokenAccount.
  std::chrono::nanoseconds try_to_take(double units, double rate_now, double saved_for);

  asio::any_io_executor executor_;
  Clock& clock_;
  const bool keeps_rate_;  ///< or is an error
  bool has_rate_;
  bool costs_are_known_ = true;  ///< as far as is known
  const std::function<void()> without_rate_;
  const double run_rate_;  ///< 0: none
  double rate_;
  TimePoint rate_until_ = TimePoint::max();
  double units_read_ = 0;
  PageCosts costs_;
  ThrottledRate throttled_rate_;
  std::optional<TokenAccount> account_;  ///< once reading is limited
  std::list<Event*> line_;
};

}  // namespace everyitem::pace
