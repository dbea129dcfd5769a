#include "run/sharing.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "checkpoint/run_record.h"
#include "run/sharing_times.h"
#include "run/test_shared_run.h"
#include "support/simulated_clock.h"
#include "support/simulation_size.h"

namespace everyitem::run {
namespace {

using checkpoint::RunRecord;
using pipeline::PartEnd;
using std::chrono::milliseconds;
using std::chrono::seconds;

const checkpoint::RunIdentity kOrders = {{"table", "orders"}, {"filter", ""}};

/// A table to read, and those who read it.
struct World {
  explicit World(std::uint64_t seed) : random(seed) {}

  asio::io_context loop{1};
  SimulatedClock clock{loop};
  Random random;
  TableOfCheckpoints table;
  std::vector<std::vector<int>> delivered;  ///< how often each page of each part was
  std::chrono::steady_clock::time_point start = clock.now();

  void make_parts(std::uint64_t parts, std::uint64_t pages) {
    for (std::uint64_t part = 0; part < parts; ++part) {
      delivered.emplace_back(1 + random.bits() % pages, 0);
    }
  }
  std::size_t pages() const {
    std::size_t pages = 0;
    for (const auto& part : delivered) {
      pages += part.size();
    }
    return pages;
  }
  /// Pages that were delivered this often, or more.
  std::size_t delivered_times(int times) const {
    std::size_t pages = 0;
    for (const auto& part : delivered) {
      pages += static_cast<std::size_t>(
          std::ranges::count_if(part, [times](int count) { return count >= times; }));
    }
    return pages;
  }
};

/// A process that shares the run.
struct Process {
  Process(World& its_world, std::string its_name, SharingTerms terms)
      : world(its_world),
        name(std::move(its_name)),
        clock(its_world.clock),
        run(its_world.table, name, clock, its_world.random),
        sharing(run, name, std::move(terms), its_world.loop.get_executor(), clock, its_world.random,
                [this](const Message& text) { notices.push_back(text.text()); }) {}

  Awaitable<void> read_part(checkpoint::SegmentProgress progress) {
    std::vector<int>& pages = world.delivered.at(progress.segment);
    while (progress.items < pages.size()) {
      if (asked_back.erase(progress.segment) > 0) {
        co_await sharing.ended(progress.segment, PartEnd::returned);
        co_return;
      }
      co_await clock.sleep(page_time);
      ++pages[progress.items];
      ++progress.items;
      progress.position.complete = progress.items == pages.size();
      progress.position.last_evaluated_key = progress.position.complete ? "" : "key";
      std::vector<checkpoint::SegmentProgress> moved = {progress};
      const std::vector<std::uint32_t> lost = co_await sharing.save(std::move(moved));
      if (!lost.empty()) {
        ++parts_lost;
        co_await sharing.ended(progress.segment, PartEnd::lost);
        co_return;
      }
    }
    ++parts_read;
  }
  Awaitable<void> read(std::size_t& reading) {
    for (;;) {
      const std::optional<checkpoint::SegmentProgress> part = co_await sharing.next();
      if (!part) {
        break;
      }
      if (cannot_read.contains(part->segment)) {
        co_await sharing.ended(part->segment, PartEnd::failed);
        continue;
      }
      co_await read_part(*part);
    }
    // It says that the run is complete.
    if (sharing.finished()) {
      EXPECT_EQ(world.delivered_times(1), world.pages()) << name;
      said_complete = true;
    }
    --reading;
  }
  Awaitable<void> live() {
    co_await clock.sleep(begins_after);
    std::optional<RunRecord> record = co_await sharing.join();
    if (!record) {
      checkpoint::RunState state{.identity = kOrders,
                                 .segments = checkpoint::fresh_segments(
                                     static_cast<std::uint32_t>(world.delivered.size())),
                                 .token = "token"};
      co_await sharing.begin(std::move(state));
    }
    Reading reactions{.return_part = [this](std::uint32_t part) { asked_back.insert(part); },
                      .set_rate = [this](std::optional<double> units, auto) { rate = units; },
                      .units_read =
                          [this] {
                            const std::chrono::duration<double> passed = clock.now() - world.start;
                            return units_per_second * passed.count();
                          }};
    co_await sharing.enter(std::move(reactions));
    spawn(sharing.take_turns());
    std::size_t reading = readers;
    for (std::size_t i = 0; i < readers; ++i) {
      spawn(read(reading));
    }
    const auto ends_at = world.start + ends_after;
    while (reading > 0 && clock.now() < ends_at) {
      co_await clock.sleep(milliseconds(100));
    }
    end();
    if (!is_killed) {
      co_await clock.sleep(milliseconds(1));
      co_await sharing.leave();
    }
    co_await clock.sleep(seconds(1));  // `reading` stays until nothing refers to it
  }
  void spawn(Awaitable<void> work) {
    asio::co_spawn(world.loop, std::move(work),
                   asio::bind_cancellation_slot(
                       signals.emplace_back().slot(), [this](const std::exception_ptr& failure) {
                         try {
                           if (failure) {
                             std::rethrow_exception(failure);
                           }
                         } catch (const boost::system::system_error&) {  // cancelled
                         } catch (const std::exception& error) {
                           ADD_FAILURE() << name << ": " << error.what();
                         }
                       }));
  }
  void end() {
    for (asio::cancellation_signal& signal : signals) {
      signal.emit(asio::cancellation_type::terminal);
    }
  }

  World& world;
  std::string name;
  StoppableClock clock;
  SimulatedSharedRun run;
  std::vector<std::string> notices;
  Sharing sharing;
  std::deque<asio::cancellation_signal> signals;
  std::set<std::uint32_t> asked_back;
  std::optional<double> rate;
  double units_per_second = 0;

  std::size_t readers = 4;
  std::chrono::milliseconds page_time{200};
  std::chrono::nanoseconds begins_after{0};
  std::chrono::nanoseconds ends_after = std::chrono::hours(24);
  bool is_killed = false;
  std::set<std::uint32_t> cannot_read;

  std::size_t parts_read = 0;
  std::size_t parts_lost = 0;
  bool said_complete = false;
};

SharingTerms orders(std::optional<double> rate = {}) {
  SharingTerms terms;
  terms.identity = kOrders;
  terms.rate = rate;
  return terms;
}

class SharingTest : public testing::Test {
 protected:
  Process& add(SharingTerms terms = orders()) {
    return processes_.emplace_back(world_, fmt::format("process {}", processes_.size()),
                                   std::move(terms));
  }
  void live() {
    for (Process& process : processes_) {
      asio::co_spawn(world_.loop, process.live(), [&process](const std::exception_ptr& failure) {
        EXPECT_FALSE(failure) << process.name;
      });
    }
    world_.clock.run();
  }
  void at(std::chrono::nanoseconds time, std::function<void()> happens) {
    const auto later = [](World& world, std::chrono::nanoseconds when,
                          std::function<void()> what) -> Awaitable<void> {
      co_await world.clock.sleep(when);
      what();
    };
    asio::co_spawn(world_.loop, later(world_, time, std::move(happens)), asio::detached);
  }
  std::chrono::nanoseconds lasted() const { return world_.clock.now() - world_.start; }

  World world_{1};
  std::deque<Process> processes_;
};

TEST_F(SharingTest, OneReadsAll) {
  world_.make_parts(10, 20);
  Process& alone = add();
  live();
  EXPECT_TRUE(alone.said_complete);
  EXPECT_EQ(alone.parts_read, 10U);
  EXPECT_EQ(world_.delivered_times(2), 0U);
  EXPECT_TRUE(world_.table.sharers.empty());
  EXPECT_TRUE(alone.notices.empty());
}

TEST_F(SharingTest, SeveralShareTheWork) {
  world_.make_parts(200, 20);
  for (int i = 0; i < 4; ++i) {
    add();
  }
  live();
  for (const Process& process : processes_) {
    EXPECT_TRUE(process.said_complete) << process.name;
    EXPECT_GT(process.parts_read, 35U) << process.name;
    EXPECT_EQ(process.parts_lost, 0U) << process.name;
  }
  EXPECT_EQ(world_.delivered_times(2), 0U);
}

TEST_F(SharingTest, LateSharerGetsShare) {
  world_.delivered.assign(4, std::vector<int>(300, 0));
  Process& first = add();
  Process& late = add();
  late.begins_after = seconds(10);
  live();
  EXPECT_EQ(world_.delivered_times(1), world_.pages());
  EXPECT_EQ(world_.delivered_times(2), 0U);
  EXPECT_EQ(first.parts_read, 2U);
  EXPECT_EQ(late.parts_read, 2U);
}

TEST_F(SharingTest, EndedSharerGivesBack) {
  world_.delivered.assign(8, std::vector<int>(300, 0));
  Process& first = add();
  Process& ending = add();
  ending.ends_after = seconds(10);
  live();
  EXPECT_TRUE(first.said_complete);
  EXPECT_FALSE(ending.said_complete);
  EXPECT_EQ(world_.delivered_times(1), world_.pages());
  EXPECT_LT(lasted(), seconds(10) + 2 * sharing_turn(2) + milliseconds(220) * 600)
      << "nobody waits for a lease";
}

TEST_F(SharingTest, KilledSharersPartsTaken) {
  world_.delivered.assign(4, std::vector<int>(100, 0));
  Process& first = add();
  Process& killed = add();
  first.begins_after = seconds(1);
  killed.ends_after = seconds(10);
  killed.is_killed = true;
  std::chrono::steady_clock::time_point taken_at;
  const auto look = [&] {
    for (const auto& [number, part] : world_.table.parts) {
      if (part.sharer == first.name && taken_at == std::chrono::steady_clock::time_point()) {
        taken_at = world_.clock.now();
      }
    }
  };
  for (int i = 100; i < 1000; ++i) {
    at(milliseconds(100) * i, look);
  }
  live();
  EXPECT_TRUE(first.said_complete);
  EXPECT_LE(world_.delivered_times(2), 4U) << "a page of each part";
  EXPECT_EQ(world_.delivered_times(3), 0U);
  EXPECT_GE(killed.parts_lost, 0U);
  EXPECT_LT(taken_at - world_.start, seconds(10) + lease_time(2) + seconds(5));
}

// Also by those who use all of their part of the read rate.
TEST_F(SharingTest, LowRateTakesParts) {
  world_.delivered.assign(40, std::vector<int>(20, 0));
  for (int i = 0; i < 3; ++i) {
    Process& process = add(orders(150));
    process.readers = 40;
    process.page_time = seconds(10);
    process.units_per_second = 150;
  }
  Process& killed = processes_.back();
  killed.ends_after = seconds(50);
  killed.is_killed = true;
  const auto parts_of_killed = [&] {
    return std::ranges::count_if(world_.table.parts, [&](const auto& part) {
      return part.second.sharer == killed.name && !part.second.progress.position.complete;
    });
  };
  std::ptrdiff_t before = 0;
  std::ptrdiff_t after = 0;
  at(seconds(50), [&] { before = parts_of_killed(); });
  at(seconds(50) + lease_time(3) + seconds(5), [&] { after = parts_of_killed(); });
  live();
  EXPECT_GT(before, 3);
  EXPECT_LT(after, before);
  EXPECT_EQ(world_.delivered_times(1), world_.pages());
}

TEST_F(SharingTest, StoppedProcessLosesParts) {
  world_.delivered.assign(4, std::vector<int>(400, 0));
  Process& stopped = add();
  Process& other = add();
  other.begins_after = seconds(1);
  at(seconds(10), [&] { stopped.clock.stopped_until = world_.start + seconds(60); });
  live();
  EXPECT_TRUE(stopped.said_complete);
  EXPECT_TRUE(other.said_complete);
  EXPECT_GE(stopped.parts_lost, 1U);
  EXPECT_LE(world_.delivered_times(2), stopped.parts_lost);
}

TEST_F(SharingTest, AloneMayStopLong) {
  world_.delivered.assign(4, std::vector<int>(100, 0));
  Process& alone = add();
  at(seconds(5), [&] { alone.clock.stopped_until = world_.start + seconds(600); });
  live();
  EXPECT_TRUE(alone.said_complete);
  EXPECT_EQ(alone.parts_lost, 0U);
  EXPECT_EQ(world_.delivered_times(2), 0U);
}

TEST_F(SharingTest, FailedPartGoesElsewhere) {
  world_.make_parts(6, 20);
  Process& first = add();
  Process& second = add();
  first.cannot_read = {0, 1, 2, 3};
  live();
  EXPECT_TRUE(first.said_complete);
  EXPECT_TRUE(second.said_complete);
  EXPECT_EQ(world_.delivered_times(2), 0U);
}

TEST_F(SharingTest, UnreadablePartEndsAll) {
  world_.make_parts(6, 20);
  Process& first = add();
  Process& second = add();
  first.cannot_read = {3, 4};
  second.cannot_read = {4};
  live();
  EXPECT_FALSE(first.said_complete);
  EXPECT_FALSE(second.said_complete);
  EXPECT_EQ(world_.delivered_times(1), world_.pages() - world_.delivered[4].size());
  EXPECT_FALSE(world_.table.record->finished);
}

TEST_F(SharingTest, OtherTermsAreRefused) {
  world_.make_parts(3, 5);
  live();
  Process& first = add();
  first.ends_after = seconds(0);
  live();
  const auto refusal = [this](SharingTerms terms) {
    Process other(world_, "other", std::move(terms));
    std::string text = "none";
    asio::co_spawn(world_.loop, other.sharing.join(),
                   [&](const std::exception_ptr& failure, const std::optional<RunRecord>&) {
                     try {
                       if (failure) {
                         std::rethrow_exception(failure);
                       }
                     } catch (const Error& error) {
                       EXPECT_EQ(error.kind(), ErrorKind::usage);
                       text = error.what();
                     }
                   });
    world_.clock.run();
    return text;
  };
  EXPECT_EQ(refusal(orders()), "none");
  SharingTerms filtered = orders();
  filtered.identity[1].value = "a = b";
  EXPECT_NE(refusal(filtered).find("filter: was none, is now \"a = b\""), std::string::npos);
  SharingTerms more = orders();
  more.parts = 4;
  EXPECT_NE(refusal(more).find("segments: was 3, is now 4"), std::string::npos);
  more.parts = 3;
  EXPECT_EQ(refusal(more), "none");
}

TEST_F(SharingTest, LowestRateCounts) {
  world_.delivered.assign(40, std::vector<int>(40, 0));
  Process& first = add(orders(300.0));
  Process& second = add(orders(100.0));
  Process& third = add(orders());
  at(seconds(20), [&] {
    EXPECT_GT(first.rate.value(), 0);
    EXPECT_LE(*first.rate + second.rate.value() + third.rate.value(), 100.0 * (1 + 1e-6));
    EXPECT_GT(*first.rate + *second.rate + *third.rate, 95);
  });
  live();
  ASSERT_EQ(first.notices.size(), 1U);
  EXPECT_NE(first.notices[0].find("100 units per second"), std::string::npos);
  EXPECT_TRUE(second.notices.empty());
  EXPECT_FALSE(third.notices.empty());
}

TEST(SharingSimulation, NothingIsLost) {
  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  std::uint64_t pages = 0;
  for (std::uint64_t seed = 1; seed <= cases<std::uint64_t>(25, 1000); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world(seed);
    Random chance(seed);
    world.make_parts(1 + chance.bits() % 100, 1 + chance.bits() % 60);
    const std::size_t count = 2 + chance.bits() % 19;
    std::deque<Process> processes;
    for (std::size_t i = 0; i < count; ++i) {
      Process& process = processes.emplace_back(world, fmt::format("process {}", i), orders());
      process.readers = 1 + chance.bits() % 8;
      process.page_time = milliseconds(50 + chance.bits() % 2000);
      process.begins_after = milliseconds(chance.bits() % 60'000);
      process.clock.wrong_by = std::chrono::hours(static_cast<int>(chance.bits() % 100) - 50);
      if (i > 0 && chance.bits() % 2 == 0) {  // one stays until the end
        process.ends_after = milliseconds(chance.bits() % 200'000);
        process.is_killed = chance.bits() % 2 == 0;
      }
    }
    for (Process& process : processes) {
      asio::co_spawn(world.loop, process.live(), [&process](const std::exception_ptr& failure) {
        EXPECT_FALSE(failure) << process.name;
      });
      const auto spoil = [](World& its_world, Process& one, std::uint64_t how) -> Awaitable<void> {
        co_await its_world.clock.sleep(milliseconds(how % 200'000));
        const auto until = its_world.clock.now() + milliseconds(how / 7 % 100'000);
        if (how % 3 == 0) {
          one.clock.stopped_until = until;
        } else if (how % 3 == 1) {
          one.run.cut_off_until = until;
        }
      };
      asio::co_spawn(world.loop, spoil(world, process, chance.bits()), asio::detached);
    }
    world.clock.run();
    EXPECT_EQ(world.delivered_times(1), world.pages());
    EXPECT_TRUE(processes.front().said_complete);
    EXPECT_TRUE(world.table.record->finished);
    std::size_t may_repeat = 0;
    for (const Process& process : processes) {
      lost += process.parts_lost;
      may_repeat += process.readers;
    }
    EXPECT_LE(world.delivered_times(2), may_repeat) << "a page of each reader that was lost";
    repeated += world.delivered_times(2);
    pages += world.pages();
  }
  fmt::print("{} pages, {} delivered again, {} parts taken from a process that came back\n", pages,
             repeated, lost);
}

}  // namespace
}  // namespace everyitem::run
