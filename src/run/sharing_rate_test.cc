// How those who share a run share its read rate, in simulated time.
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "pace/read_gate.h"
#include "run/sharing.h"
#include "run/sharing_times.h"
#include "run/test_shared_run.h"
#include "support/simulated_clock.h"
#include "support/simulated_reading.h"
#include "support/simulation_size.h"

namespace everyitem::run {
namespace {

using pace::Simulation;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// When a process begins and ends to read.
struct Course {
  std::chrono::nanoseconds begin = seconds(0);
  std::chrono::nanoseconds end;
  bool is_killed = false;
};

/// A process that reads some of the segments as long as it is there, and has a share of the rate.
struct RateSharer {
  RateSharer(Simulation& its_table, TableOfCheckpoints& checkpoints, std::size_t number)
      : table(its_table),
        clock(its_table.clock),
        run(checkpoints, fmt::format("process {}", number), clock, its_table.random),
        sharing(run, fmt::format("process {}", number),
                SharingTerms{.identity = {{"table", "orders"}}, .rate = its_table.rate},
                its_table.loop.get_executor(), clock, its_table.random),
        gate(its_table.loop.get_executor(), clock, its_table.rate, pace::kLargestPage) {
    gate.set_rate(0, its_table.clock.now());
  }

  Awaitable<void> live(Course course, std::vector<std::size_t> segments) {
    co_await table.clock.sleep(course.begin);
    co_await sharing.join();
    Reading reactions{.return_part = {},
                      .set_rate = [this](std::optional<double> units,
                                         auto until) { gate.set_rate(units.value(), until); },
                      .units_read = [this] { return gate.units_read(); }};
    co_await sharing.enter(std::move(reactions));
    spawn(sharing.take_turns());
    for (const std::size_t segment : segments) {
      spawn(pace::read_segment(table, gate, segment, table.start + course.end));
    }
    co_await table.clock.sleep(table.start + course.end - table.clock.now());
    for (asio::cancellation_signal& signal : signals) {
      signal.emit(asio::cancellation_type::terminal);
    }
    co_await table.clock.sleep(milliseconds(1));
    if (!course.is_killed) {
      co_await sharing.leave();
    }
  }
  void spawn(Awaitable<void> work) {
    asio::co_spawn(table.loop, std::move(work),
                   asio::bind_cancellation_slot(signals.emplace_back().slot(), asio::detached));
  }

  Simulation& table;
  StoppableClock clock;
  SimulatedSharedRun run;
  Sharing sharing;
  pace::ReadGate gate;
  std::deque<asio::cancellation_signal> signals;
};

using Event = std::pair<std::chrono::nanoseconds, std::function<void(RateSharer&)>>;

/// Each reads every N-th of the segments. `events` happen to the second.
TableOfCheckpoints share_rate(Simulation& table, const std::vector<Course>& courses,
                              const std::vector<Event>& events = {}) {
  TableOfCheckpoints checkpoints;
  checkpoints.record = checkpoint::RunRecord{.token = "token",
                                             .version = 1,
                                             .segments = 1,
                                             .identity = "[[\"table\",\"orders\"]]",
                                             .shared = true};
  table.start = table.clock.now();
  table.credit_at = table.start;
  std::deque<RateSharer> sharers;
  for (std::size_t i = 0; i < courses.size(); ++i) {
    RateSharer& sharer = sharers.emplace_back(table, checkpoints, i);
    std::vector<std::size_t> segments;
    for (std::size_t segment = i; segment < table.segments; segment += courses.size()) {
      segments.push_back(segment);
    }
    asio::co_spawn(table.loop, sharer.live(courses[i], std::move(segments)),
                   [i](const std::exception_ptr& failure) { EXPECT_FALSE(failure) << i; });
  }
  for (const Event& event : events) {
    const auto happen = [](Simulation& its_table, Event what, RateSharer& to) -> Awaitable<void> {
      co_await its_table.clock.sleep(what.first);
      what.second(to);
    };
    asio::co_spawn(table.loop, happen(table, event, sharers.at(1)), asio::detached);
  }
  table.clock.run();
  return checkpoints;
}

double part_of_rate(double units, const Simulation& table) { return units / (60 * *table.rate); }

TEST(SharingRateSimulation, WithinReadRate) {
  struct Case {
    double rate;
    std::size_t sharers;
  };
  for (const Case& one :
       {Case{20, 2}, Case{20, 5}, Case{1000, 2}, Case{1000, 5}, Case{1000, 20}, Case{20'000, 10}}) {
    SCOPED_TRACE(fmt::format("{} sharers, {} units/s", one.sharers, one.rate));
    Simulation table{.segments = 8 * one.sharers, .rate = one.rate, .lasts = seconds(200)};
    std::vector<Course> courses(one.sharers, {.end = table.lasts});
    // All but the last end one after the other.
    for (std::size_t i = 0; i + 1 < one.sharers; ++i) {
      courses[i].end = seconds(50) + i * seconds(100) / one.sharers;
    }
    const TableOfCheckpoints checkpoints = share_rate(table, courses);
    const auto begin = table.start + 4 * sharing_turn(one.sharers);
    const pace::Extremes found =
        extremes(table, begin, table.start + table.lasts, std::chrono::minutes(1));
    const double least = part_of_rate(found.least, table);
    const double most = part_of_rate(found.most, table);
    // A minute has a page of each sharer more or less, which costs 8 units even at a low rate.
    const double allowance =
        std::max(0.03, part_of_rate(8.0 * static_cast<double>(one.sharers), table));
    EXPECT_GE(least, 1 - allowance);
    EXPECT_LE(most, 1.03);
    fmt::print(
        "{:>5} units/s, {:>2} sharers: {:.4f} to {:.4f} of the rate in any minute, {} reads, {} "
        "writes\n",
        one.rate, one.sharers, least, most, checkpoints.reads, checkpoints.writes);
  }
}

TEST(SharingRateSimulation, ChangingSharersKeepRate) {
  for (std::uint64_t seed = 1; seed <= cases<std::uint64_t>(4, 40); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Simulation table{.segments = 40, .rate = 400.0, .lasts = seconds(600), .seed = seed};
    Random chance(seed);
    std::vector<Course> courses(10);
    for (Course& course : courses) {
      course.begin = seconds(chance.bits() % 300);
      course.end = course.begin + seconds(30 + chance.bits() % 270);
      course.is_killed = chance.bits() % 3 == 0;
    }
    share_rate(table, courses);
    const pace::Extremes found =
        extremes(table, table.start, table.start + table.lasts, std::chrono::minutes(1));
    EXPECT_LE(part_of_rate(found.most, table), 1.03);
    EXPECT_GT(part_of_rate(found.most, table), 0.9);
  }
}

/// After `from`, any minute has at least this part of the rate, and at most 1.03.
void expect_any_minute(const Simulation& table, std::chrono::nanoseconds from, double least) {
  const pace::Extremes found =
      extremes(table, table.start + from, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_GE(part_of_rate(found.least, table), least);
  EXPECT_LE(part_of_rate(found.most, table), 1.03);
}

TEST(SharingRateSimulation, ManyBeginAtOnce) {
  Simulation table{.segments = 40, .rate = 400.0, .lasts = seconds(200)};
  share_rate(table, std::vector<Course>(20, {.end = table.lasts}));
  expect_any_minute(table, seconds(10), 0.95);
}

TEST(SharingRateSimulation, ThrottledShareIsTaken) {
  Simulation table{.segments = 24, .rate = 300.0, .lasts = seconds(400)};
  // Of each three segments one is the first sharer's; it reads nothing.
  table.always_throttled = [](std::size_t segment) { return segment % 3 == 0; };
  share_rate(table, std::vector<Course>(3, {.end = seconds(400)}));
  expect_any_minute(table, seconds(60), 0.97);
}

TEST(SharingRateSimulation, KilledShareIsTaken) {
  Simulation table{.segments = 24, .rate = 300.0, .lasts = seconds(300)};
  std::vector<Course> courses(3, {.end = seconds(300)});
  courses[1] = {.end = seconds(100), .is_killed = true};
  share_rate(table, courses);
  const auto gone = table.start + seconds(100) + lease_time(3) + 2 * sharing_turn(3);
  const pace::Extremes after =
      extremes(table, gone, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_GE(part_of_rate(after.least, table), 0.97);
  const pace::Extremes always =
      extremes(table, table.start, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_LE(part_of_rate(always.most, table), 1.03);
}

/// Pages of the second of three sharers.
std::ptrdiff_t pages_of_second(const Simulation& table, std::chrono::nanoseconds from,
                               std::chrono::nanoseconds to) {
  return std::ranges::count_if(table.pages, [&](const Simulation::Page& page) {
    return page.segment % 3 == 1 && page.at >= table.start + from && page.at < table.start + to;
  });
}

TEST(SharingRateSimulation, CutOffStopsReading) {
  Simulation table{.segments = 24, .rate = 300.0, .lasts = seconds(300)};
  share_rate(table, std::vector<Course>(3, {.end = seconds(300)}),
             {{seconds(100), [&table](RateSharer& second) {
                 second.run.cut_off_until = table.start + seconds(200);
               }}});
  EXPECT_GT(pages_of_second(table, seconds(50), seconds(100)), 10);
  EXPECT_EQ(pages_of_second(table, seconds(101) + claim_life(lease_time(3)), seconds(200)), 0);
  EXPECT_GT(pages_of_second(table, seconds(204), seconds(300)), 10);
  const pace::Extremes always =
      extremes(table, table.start, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_LE(part_of_rate(always.most, table), 1.03);
}

TEST(SharingRateSimulation, StoppedReadsAfterTurn) {
  Simulation table{.segments = 24, .rate = 300.0, .lasts = seconds(300)};
  share_rate(table, std::vector<Course>(3, {.end = seconds(300)}),
             {{seconds(100), [&table](RateSharer& second) {
                 second.clock.stopped_until = table.start + seconds(200);
               }}});
  EXPECT_GT(pages_of_second(table, seconds(204), seconds(300)), 10);
  const pace::Extremes always =
      extremes(table, table.start, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_LE(part_of_rate(always.most, table), 1.03);
}

}  // namespace
}  // namespace everyitem::run
