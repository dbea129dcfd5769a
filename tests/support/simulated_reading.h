// For tests: reads a table through a gate in simulated time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "pace/read_gate.h"
#include "support/simulated_clock.h"

namespace everyitem::pace {

inline constexpr double kLargestPage = 128;
inline constexpr double kPageBytes = 1 << 20;

/// The random size of an item in bytes.
using ItemBytes = std::function<double(Random&)>;

inline ItemBytes all_of(double bytes) {
  return [bytes](Random&) { return bytes; };
}

/// From 100 B to 100 KB, evenly distributed on a logarithmic scale.
inline double mixed(Random& random) { return 100 * std::pow(1000, random.uniform()); }

/// A simulated table: what it serves, and when.
struct Simulation {
  std::size_t segments = 1;
  ItemBytes item_bytes = all_of(4096);
  /// Item sizes of the last segment, if different.
  ItemBytes last_segments_item_bytes = {};
  /// If not 0, the table ends: this is how many bytes of items each segment has.
  double bytes_per_segment = 0;
  std::optional<double> rate;
  std::chrono::nanoseconds lasts = std::chrono::minutes(4);
  double throttled_share = 0;               ///< fraction of requests that are throttled at any rate
  std::optional<double> table_serves;       ///< units per second; faster reads are throttled
  std::size_t segments_that_end_early = 0;  ///< after a quarter of the time
  std::function<bool(std::size_t segment)> always_throttled = {};
  std::uint64_t seed = 1;
  std::chrono::milliseconds shortest_answer{5};
  std::chrono::milliseconds longest_answer{60};

  struct Page {
    std::chrono::steady_clock::time_point at;
    double units;
    std::size_t segment;
    std::optional<std::uint64_t> limit;
  };

  asio::io_context loop = asio::io_context(1);
  SimulatedClock clock = SimulatedClock(loop);
  Random random = Random(seed);
  std::vector<Page> pages;
  std::uint64_t throttled = 0;
  std::chrono::steady_clock::time_point start;
  std::function<void(std::chrono::steady_clock::time_point now)> on_page = {};
  std::vector<std::vector<double>> items_left =
      {};             ///< of a table that ends: the last is read first
  double credit = 0;  ///< of table_serves
  std::chrono::steady_clock::time_point credit_at;
};

/// The items of each segment of a table that ends.
inline void make_items(Simulation& table) {
  table.items_left.resize(table.segments);
  for (std::vector<double>& items : table.items_left) {
    double bytes = 0;
    while (bytes < table.bytes_per_segment) {
      items.push_back(table.item_bytes(table.random));
      bytes += items.back();
    }
  }
}

inline bool has_ended(const Simulation& table, std::size_t segment) {
  return !table.items_left.empty() && table.items_left[segment].empty();
}

/// The cost of a page of `limit` items, and their number.
inline double read_page(Simulation& table, std::size_t segment, std::optional<std::uint64_t> limit,
                        std::uint64_t& items) {
  const bool differs = table.last_segments_item_bytes && segment + 1 == table.segments;
  const ItemBytes& item_bytes = differs ? table.last_segments_item_bytes : table.item_bytes;
  double bytes = 0;
  for (items = 0;
       bytes < kPageBytes && items < limit.value_or(1'000'000) && !has_ended(table, segment);
       ++items) {
    if (table.items_left.empty()) {
      bytes += item_bytes(table.random);
    } else {
      bytes += table.items_left[segment].back();
      table.items_left[segment].pop_back();
    }
  }
  return std::max(0.5, std::ceil(bytes / 4096) / 2);
}

inline bool refuses(Simulation& table, std::size_t segment) {
  if ((table.always_throttled && table.always_throttled(segment)) ||
      table.random.uniform() < table.throttled_share) {
    return true;
  }
  if (!table.table_serves) {
    return false;
  }
  const auto now = table.clock.now();
  const double earned =
      *table.table_serves * std::chrono::duration<double>(now - table.credit_at).count();
  table.credit = std::min(table.credit + earned, *table.table_serves);
  table.credit_at = now;
  return table.credit <= 0;
}

inline Awaitable<void> read_segment(Simulation& table, ReadGate& pace, std::size_t segment,
                                    std::chrono::steady_clock::time_point end) {
  const auto answer_time = [&table] {
    const std::chrono::duration<double, std::milli> spread =
        table.longest_answer - table.shortest_answer;
    return table.shortest_answer +
           std::chrono::duration_cast<std::chrono::nanoseconds>(spread * table.random.uniform());
  };
  ReadGrant share;
  while (table.clock.now() < end && !has_ended(table, segment)) {
    co_await pace.take(share, std::nullopt);
    for (int failures = 0;; ++failures) {
      co_await table.clock.sleep(answer_time() / 2);
      if (!refuses(table, segment)) {
        std::uint64_t items = 0;
        const double units = read_page(table, segment, share.limit, items);
        table.credit -= units;
        if (table.on_page) {
          table.on_page(table.clock.now());
        }
        table.pages.push_back({table.clock.now(), units, segment, share.limit});
        co_await table.clock.sleep(answer_time() / 2);
        pace.settle(share, items, units);
        break;
      }
      ++table.throttled;
      co_await table.clock.sleep(answer_time() / 2);
      pace.give_back(share);
      pace.throttled(share);
      if (table.clock.now() >= end) {
        co_return;
      }
      const double bound = std::min(5000.0, 50 * std::exp2(std::min(failures, 10)));
      co_await table.clock.sleep(
          std::chrono::milliseconds(static_cast<std::int64_t>(bound * table.random.uniform())));
      co_await pace.take_again(share);
    }
  }
}

inline void read_table(Simulation& table) {
  ReadGate pace(table.loop.get_executor(), table.clock, table.rate, kLargestPage);
  table.start = table.clock.now();
  table.credit_at = table.start;
  if (table.bytes_per_segment > 0) {
    make_items(table);
  }
  for (std::size_t segment = 0; segment < table.segments; ++segment) {
    const auto reads_for = segment < table.segments_that_end_early ? table.lasts / 4 : table.lasts;
    asio::co_spawn(table.loop, read_segment(table, pace, segment, table.start + reads_for),
                   asio::detached);
  }
  table.clock.run();
}

/// The lowest and highest number of units read in any window of a given length.
struct Extremes {
  double least = 1e300;
  double most = 0;
};

/// In any `window` between `from` and `to`.
inline Extremes extremes(const Simulation& table, std::chrono::steady_clock::time_point from,
                         std::chrono::steady_clock::time_point to,
                         std::chrono::nanoseconds window) {
  Extremes found;
  std::vector<Simulation::Page> pages;
  for (const Simulation::Page& page : table.pages) {
    if (page.at >= from && page.at <= to) {
      pages.push_back(page);
    }
  }
  // The maximum is in a window that begins with a page, the minimum in one that begins right after
  // a page or at the start of the simulation.
  double sum = 0;
  std::size_t behind = 0;
  for (std::size_t first = 0; first < pages.size(); ++first) {
    while (behind < pages.size() && pages[behind].at < pages[first].at + window) {
      sum += pages[behind++].units;
    }
    found.most = std::max(found.most, sum);
    sum -= pages[first].units;
  }
  sum = 0;
  behind = 0;
  for (std::size_t first = 0; first <= pages.size(); ++first) {
    const std::chrono::steady_clock::time_point begin = first == 0 ? from : pages[first - 1].at;
    if (begin + window > to) {
      break;
    }
    if (first > 0) {
      sum -= pages[first - 1].units;
    }
    while (behind < pages.size() && pages[behind].at < begin + window) {
      sum += pages[behind++].units;
    }
    found.least = std::min(found.least, sum);
  }
  return found;
}

}  // namespace everyitem::pace
