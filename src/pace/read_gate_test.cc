#include "pace/read_gate.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/simulated_clock.h"
#include "support/simulated_reading.h"
#include "support/simulation_size.h"

namespace everyitem::pace {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using TimePoint = std::chrono::steady_clock::time_point;

struct Items {
  std::string name;
  ItemBytes bytes;
  double largest_units;  ///< cost of a page of 8 units that has the largest items
};

const std::vector<Items>& all_items() {
  static const std::vector<Items> items = {{"400 B", all_of(400), 8.5},
                                           {"4 KB", all_of(4096), 8.5},
                                           {"100 KB", all_of(102'400), 12.5},
                                           {"mixed", mixed, 37.5}};
  return items;
}

/// Fails unless every minute is within 3 percent of the rate. A page has at least about 8 units: if
/// one costs more than 3 percent of a minute, a minute has one more or one less.
Extremes expect_within_rate(const Simulation& table, double largest_page, bool enough_to_read,
                            std::chrono::nanoseconds begin = seconds(0)) {
  const double minute = 60 * *table.rate;
  const double allowance = std::max(0.03 * minute, largest_page);
  const Extremes found =
      extremes(table, table.start + begin, table.start + table.lasts, minutes(1));
  EXPECT_LE(found.most, minute + allowance);
  if (enough_to_read) {
    EXPECT_GE(found.least, minute - allowance);
  }
  return {.least = found.least / minute, .most = found.most / minute};
}

/// A segment has one page in flight, of at most 128 units, for 33 ms on average.
bool enough_to_read(std::size_t segments, double rate) {
  return static_cast<double>(segments) * kLargestPage / 0.033 > 1.5 * rate;
}

TEST(ReadGateSimulation, SmallShareLargePages) {
  Simulation table{.segments = 4, .lasts = minutes(10)};
  ReadGate gate(table.loop.get_executor(), table.clock, 40'000.0, kLargestPage);
  gate.set_rate(40, TimePoint::max());
  table.start = table.clock.now();
  for (std::size_t segment = 0; segment < table.segments; ++segment) {
    asio::co_spawn(table.loop, read_segment(table, gate, segment, table.start + table.lasts),
                   asio::detached);
  }
  table.clock.run();
  ASSERT_GT(table.pages.size(), 100U);
  double read = 0;
  for (const Simulation::Page& page : table.pages) {
    read += page.units;
    const std::chrono::duration<double> since = page.at - table.start;
    ASSERT_LE(read, 40 * since.count() + kLargestPage / 20) << "a page is owed";
  }
  double units = 0;
  for (auto page = table.pages.end() - 100; page != table.pages.end(); ++page) {
    units += page->units;
  }
  EXPECT_GT(units / 100, 100);
}

TEST(ReadGateSimulation, AnySegmentsAndItems) {
  const auto rates =
      cases<std::vector<double>>({5.0, 50.0, 1000.0}, {5.0, 50.0, 1000.0, 100'000.0});
  for (const double rate : rates) {
    for (const Items& items : all_items()) {
      Extremes worst;
      for (const std::size_t segments : {1U, 8U, 64U, 200U}) {
        SCOPED_TRACE(
            fmt::format("{} segments, {} units/s, items of {}", segments, rate, items.name));
        Simulation table{.segments = segments,
                         .item_bytes = items.bytes,
                         .rate = rate,
                         .lasts = rate > 10'000 ? seconds(75) : seconds(600)};
        read_table(table);
        const bool enough = enough_to_read(segments, rate);
        const Extremes found = expect_within_rate(table, items.largest_units, enough);
        worst.least = enough ? std::min(worst.least, found.least) : worst.least;
        worst.most = std::max(worst.most, found.most);
      }
      fmt::print("{:>6} units/s, items of {:>6}: {:.4f} to {:.4f} of the rate in any minute\n",
                 rate, items.name, worst.least, worst.most);
    }
  }
}

TEST(ReadGateSimulation, AnySeed) {
  for (const double rate : {5.0, 10.0, 20.0, 50.0, 400.0}) {
    Extremes worst;
    const auto seeds = cases<std::uint64_t>(4, 40);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      SCOPED_TRACE(fmt::format("seed {}, {} units/s", seed, rate));
      Simulation table{.segments = 16, .item_bytes = mixed, .rate = rate, .seed = seed};
      read_table(table);
      // The cost of the first pages is unknown, and so is that of each large item at a low rate.
      const TimePoint known = table.start + seconds(10);
      const Extremes found = extremes(table, known, table.start + table.lasts, minutes(1));
      worst.least = std::min(worst.least, found.least / (60 * rate));
      worst.most = std::max(worst.most, found.most / (60 * rate));
    }
    const double minute = 60 * rate;
    // Between a minute's begin and its end, the account can go from all that it saves to owing a
    // page, and back.
    const double saved = rate * std::chrono::duration<double>(TokenAccount::kMaxSaved).count();
    const double allowance = std::max(0.03, (37.5 + saved) / minute);
    EXPECT_LE(worst.most, 1 + allowance);
    EXPECT_GE(worst.least, 1 - allowance);
    fmt::print("{:>6} units/s, {} seeds: {:.4f} to {:.4f} of the rate in any minute\n", rate, seeds,
               worst.least, worst.most);
  }
}

/// The read units that a whole table costs.
double units_of_table(std::size_t segments, const ItemBytes& item_bytes, double bytes,
                      std::optional<double> rate) {
  Simulation table{.segments = segments,
                   .item_bytes = item_bytes,
                   .rate = rate,
                   .lasts = std::chrono::hours(1000)};
  table.bytes_per_segment = bytes / static_cast<double>(segments);
  read_table(table);
  EXPECT_TRUE(has_ended(table, 0));
  double units = 0;
  for (const Simulation::Page& page : table.pages) {
    units += page.units;
  }
  return units;
}

/// From 50 B to 400 KB, evenly distributed on a logarithmic scale.
double any_size(Random& random) { return 50 * std::pow(8192, random.uniform()); }

TEST(ReadGateSimulation, SmallRatesWasteNothing) {
  const std::vector<std::pair<std::string, ItemBytes>> items = {
      {"50 B", all_of(50)},        {"110 B", all_of(110)},      {"400 B", all_of(400)},
      {"3 KB", all_of(3000)},      {"4.1 KB", all_of(4200)},    {"20 KB", all_of(20'000)},
      {"400 KB", all_of(409'600)}, {"50 B to 400 KB", any_size}};
  for (const double rate :
       cases<std::vector<double>>({1.0, 3.0, 10.0, 50.0}, {1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0})) {
    for (const auto& [name, bytes] : items) {
      for (const std::size_t segments : {1U, 8U}) {
        SCOPED_TRACE(fmt::format("{} segments, {} units/s, items of {}", segments, rate, name));
        constexpr double kTableBytes = 4 << 20;
        const double at_rate = units_of_table(segments, bytes, kTableBytes, rate);
        const double without = units_of_table(segments, bytes, kTableBytes, std::nullopt);
        EXPECT_LE(at_rate, 1.05 * without);
        fmt::print(
            "{:>3} units/s, {} segments, items of {:>14}: {:.1f} units, without a rate {:.1f}: "
            "{:.3f}\n",
            rate, segments, name, at_rate, without, at_rate / without);
      }
    }
  }
}

TEST(ReadGateSimulation, SlowResponses) {
  for (const double rate : {100.0, 1000.0, 10'000.0}) {
    SCOPED_TRACE(fmt::format("{} units/s", rate));
    Simulation table{.segments = 64, .item_bytes = mixed, .rate = rate};
    table.shortest_answer = milliseconds(200);
    table.longest_answer = milliseconds(1500);
    read_table(table);
    // The cost of the first pages is known late.
    expect_within_rate(table, 12.5, true, seconds(20));
  }
}

TEST(ReadGateSimulation, OneSegmentsLargeItems) {
  for (const double rate : {50.0, 400.0}) {
    SCOPED_TRACE(fmt::format("{} units/s", rate));
    Simulation table{.segments = 8, .item_bytes = all_of(200), .rate = rate};
    table.last_segments_item_bytes = all_of(100'000);
    read_table(table);
    expect_within_rate(table, 12.5, true);
  }
}

TEST(ReadGateSimulation, OthersGetUnusedShare) {
  for (const double rate : {50.0, 1000.0}) {
    SCOPED_TRACE(fmt::format("{} units/s", rate));
    Simulation table{.segments = 64, .rate = rate};
    table.segments_that_end_early = 40;
    table.throttled_share = 0.1;
    read_table(table);
    EXPECT_GT(table.throttled, 10U);
    expect_within_rate(table, 0.5, true);

    Simulation hot{.segments = 64, .rate = rate};
    hot.always_throttled = [](std::size_t segment) { return segment < 48; };
    read_table(hot);
    expect_within_rate(hot, 0.5, true);
  }
}

TEST(ReadGateSimulation, SegmentsTakeTurns) {
  Simulation table{.segments = 20, .rate = 100.0};
  read_table(table);
  std::vector<std::size_t> pages(table.segments);
  for (const Simulation::Page& page : table.pages) {
    ++pages[page.segment];
  }
  const auto [least, most] = std::ranges::minmax(pages);
  EXPECT_GT(least, 10U);
  EXPECT_LE(most - least, 2U);
}

TEST(ReadGateSimulation, SpikesBecomeSmallPages) {
  // A full page of these would take 26 seconds of the rate.
  Simulation table{.segments = 8, .item_bytes = all_of(400), .rate = 5.0};
  read_table(table);
  const Extremes found =
      extremes(table, table.start + seconds(15), table.start + table.lasts, seconds(2));
  EXPECT_LE(found.most, 2 * 2 * *table.rate);
  EXPECT_GE(found.least, 2 * *table.rate / 2);
  EXPECT_TRUE(
      std::ranges::all_of(table.pages, [](const auto& page) { return page.limit.has_value(); }));
}

TEST(ReadGateSimulation, NoLimitWithoutSpikes) {
  Simulation table{.segments = 8, .rate = 1000.0, .lasts = seconds(10)};
  read_table(table);
  EXPECT_TRUE(
      std::ranges::none_of(table.pages, [](const auto& page) { return page.limit.has_value(); }));
}

TEST(ReadGateSimulation, UnlimitedUntilThrottled) {
  Simulation table{.segments = 8, .lasts = seconds(10)};
  read_table(table);
  // The pages of 8 segments, back to back.
  EXPECT_GT(static_cast<double>(table.pages.size()), 0.9 * 8 * 10 / 0.033);
  EXPECT_TRUE(
      std::ranges::none_of(table.pages, [](const auto& page) { return page.limit.has_value(); }));
}

TEST(ReadGateSimulation, FollowsThrottlingBothWays) {
  Simulation table{.segments = 64, .lasts = minutes(8), .table_serves = 4000};
  const auto lower = table.clock.now() + minutes(2);
  const auto higher = table.clock.now() + minutes(4);
  table.on_page = [&](TimePoint now) {
    table.table_serves = now < lower || now >= higher ? 4000 : 1000;
  };
  read_table(table);
  const auto served = [&](int from_minute) {
    const auto from = table.start + minutes(from_minute);
    return extremes(table, from, from + minutes(1) + seconds(1), minutes(1)).most / 60;
  };
  EXPECT_GT(served(1), 0.8 * 4000);
  EXPECT_GT(served(3), 0.8 * 1000);
  EXPECT_GT(served(6), 0.8 * 4000);
  // Only a small fraction of the requests is throttled.
  EXPECT_LT(static_cast<double>(table.throttled), 0.1 * static_cast<double>(table.pages.size()));
  fmt::print("{:.0f}, {:.0f}, {:.0f} units/s; {} of {} requests throttled\n", served(1), served(3),
             served(6), table.throttled, table.throttled + table.pages.size());
}

TEST(ReadGate, LimitNeedsReportedCost) {
  asio::io_context loop;
  SimulatedClock clock(loop);
  ReadGate unlimited(loop.get_executor(), clock, std::nullopt, kLargestPage);
  ReadGrant share;
  EXPECT_NO_THROW(unlimited.settle(share, 10, std::nullopt));
  ReadGate limited(loop.get_executor(), clock, 10, kLargestPage);
  try {
    limited.settle(share, 10, std::nullopt);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("--read-units"), std::string::npos) << error.what();
  }
}

TEST(ReadGate, EmptyPageKeepsEstimate) {
  asio::io_context loop;
  SimulatedClock clock(loop);
  ReadGate gate(loop.get_executor(), clock, 10, kLargestPage);
  ReadGrant share;
  gate.settle(share, 10, 100.25);  // a quarter is what rounding adds on average
  EXPECT_DOUBLE_EQ(share.units_per_item, 10);
  gate.settle(share, 0, 0.5);
  EXPECT_DOUBLE_EQ(share.units_per_item, 10);
}

TEST(ReadGate, UnchosenRateIsDropped) {
  asio::io_context loop;
  SimulatedClock clock(loop);
  int times_let_go = 0;
  ReadGate gate(loop.get_executor(), clock, 10, kLargestPage, [&] { ++times_let_go; });
  int pages = 0;
  const auto read = [&]() -> Awaitable<void> {
    ReadGrant share;
    for (; pages < 100; ++pages) {
      co_await gate.take(share, std::nullopt);
      gate.settle(share, 1000, std::nullopt);
    }
  };
  for (int reader = 0; reader < 3; ++reader) {
    asio::co_spawn(loop, read(), asio::detached);
  }
  clock.run();
  EXPECT_GE(pages, 100);
  EXPECT_EQ(times_let_go, 1);
}

TEST(ReadGate, CancellationLeavesQueue) {
  asio::io_context loop(1);
  SimulatedClock clock(loop);
  ReadGate pace(loop.get_executor(), clock, 10, kLargestPage);
  std::vector<std::string> course;
  asio::cancellation_signal cancel;
  const auto reader = [&](std::string name) -> Awaitable<void> {
    ReadGrant share;
    co_await pace.take(share, std::nullopt);
    course.push_back(name);
    pace.settle(share, 1, 5);
  };
  const auto spawn = [&](const std::string& name, asio::cancellation_slot slot) {
    asio::co_spawn(loop, reader(name),
                   asio::bind_cancellation_slot(slot, [&, name](const std::exception_ptr& failure) {
                     if (failure) {
                       course.push_back(name + " cancelled");
                     }
                   }));
  };
  asio::cancellation_signal first;
  spawn("first", first.slot());
  spawn("second", cancel.slot());
  spawn("third", {});
  loop.poll();
  cancel.emit(asio::cancellation_type::terminal);
  loop.restart();
  loop.poll();
  first.emit(asio::cancellation_type::terminal);
  clock.run();
  EXPECT_EQ(course, (std::vector<std::string>{"second cancelled", "first cancelled", "third"}));
}

}  // namespace
}  // namespace everyitem::pace
