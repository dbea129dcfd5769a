// When the next page may be read, and how large it should be: by the user's rate, or, without
// one, by what the table refuses. See docs/adr/2026-11-24-read-budget.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>

#include "base/async.h"
#include "base/clock.h"
#include "base/on_loop.h"
#include "pace/page_costs.h"
#include "pace/throttled_rate.h"
#include "pace/token_account.h"

namespace everyitem::pace {

/// What a segment may read now.
struct ReadGrant {
  std::optional<std::uint64_t> limit;  ///< of the page: Scan's Limit, where it needs one
  /// Read units that are taken until it is known what the page cost; nothing where reading is not
  /// held back.
  std::optional<double> taken;
  std::chrono::steady_clock::time_point since;  ///< when the page might be asked for
  double units_per_item = 0;                    ///< of the page before; 0: not known
};

/// Shared by all segments of a run. Who reads a page takes a share, waits in line for it, and
/// settles when the page has come. A share belongs to no segment: what one does not use, because it
/// is finished or being throttled, is there for whoever is next in line. From any event loop: the
/// work is done on that of `executor`, and a share is in the hands of one caller. Outlives whoever
/// waits.
class ReadGate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `rate`: read units a second for this process, above 0; without one, reading is not held back
  /// until the table throttles. `largest_page`: read units of a page of 1 MB.
  ReadGate(asio::any_io_executor executor, Clock& clock, std::optional<double> rate,
           double largest_page);

  /// From now on, until `until`: then nothing is read until it is set again. 0 or more. For one
  /// that has a rate, on the loop of `executor`.
  void set_rate(double units, TimePoint until);
  /// So far, as far as it was settled. On the loop of `executor`.
  double units_read() const { return units_read_; }

  /// Waits until the segment's next page may be asked for, of at most `max_items` where given.
  /// First come, first served. Throws boost::system::system_error(operation_aborted) when
  /// cancelled.
  Awaitable<void> take(ReadGrant& share, std::optional<std::uint64_t> max_items) {
    return on_loop(executor_, take_here(share, max_items));
  }

  /// The page has come. Throws a usage error where there is a rate and DynamoDB did not say what
  /// the page cost.
  void settle(ReadGrant& share, std::uint64_t items_scanned, std::optional<double> units);

  /// DynamoDB refused the request, so that nothing was read. It is to be repeated with `take_again`
  /// after a while, or is given up.
  void give_back(ReadGrant& share);
  /// That was for being too fast.
  void throttled(const ReadGrant& share);
  /// Waits like `take`, for the same page once more. What was taken for it and not given back may
  /// have been read, with the answer lost: it stays paid for.
  Awaitable<void> take_again(ReadGrant& share) {
    return on_loop(executor_, take_again_here(share));
  }

 private:
  /// A place in the line, from when it is made.
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
  /// Read units a second, perhaps 0; nothing while reading is not held back.
  std::optional<double> rate() const;
  enum class LimitIs { chosen, given };
  Awaitable<void> wait_in_line(ReadGrant& share, LimitIs limit_is);
  void earn_at(double rate_now);
  /// 0 when `units` were taken, or how long to wait. `rate_now` is above 0.
  std::chrono::nanoseconds try_to_take(double units, double rate_now);

  asio::any_io_executor executor_;
  Clock& clock_;
  const bool has_rate_;
  double rate_;
  TimePoint rate_until_ = TimePoint::max();
  double units_read_ = 0;
  PageCosts costs_;
  ThrottledRate throttled_rate_;
  std::optional<TokenAccount> account_;  ///< once reading is held back
  std::list<Event*> line_;
};

}  // namespace everyitem::pace
