#include "run/fleet.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/simulated_clock.h"
#include "support/simulated_reading.h"
#include "support/simulation_size.h"

namespace everyitem::run {

using namespace pace;  // NOLINT(google-build-using-namespace): the simulated table
namespace {

using checkpoint::FleetMember;
using checkpoint::FleetRecord;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// What is in the one place.
struct SharedRecord {
  std::optional<FleetRecord> record;
  std::uint64_t version = 0;
  std::uint64_t refused = 0;  ///< writes that came too late
};

/// Takes its time, and fails while it is told to.
class SimulatedFleetStore final : public checkpoint::FleetStore {
 public:
  SimulatedFleetStore(SharedRecord& shared, Clock& clock, Random& random)
      : shared_(shared), clock_(clock), random_(random) {}

  Awaitable<std::optional<FleetRecord>> read() override {
    co_await answer();
    version_ = shared_.version;
    std::optional<FleetRecord> record = shared_.record;
    co_await answer();
    co_return record;
  }
  Awaitable<bool> write(FleetRecord record) override {
    co_await answer();
    const bool written = version_ == shared_.version && !refuses_writes;
    if (written) {
      shared_.record = std::move(record);
      ++shared_.version;
    } else {
      ++shared_.refused;
    }
    co_await answer();
    co_return written;
  }
  std::string location() const override { return "dynamodb:checkpoints/nightly"; }

  std::optional<std::chrono::steady_clock::time_point> down_until;
  bool refuses_writes = false;  ///< as if others were always faster

 private:
  /// A request that waits for the service is in the client's hands until it is answered.
  Awaitable<void> answer() {
    co_await clock_.sleep(milliseconds(1 + static_cast<int>(random_.bits() % 10)));
    if (down_until && clock_.now() < *down_until) {
      co_await clock_.sleep(*down_until - clock_.now());
    }
  }

  SharedRecord& shared_;
  Clock& clock_;
  Random& random_;
  std::uint64_t version_ = 0;
};

/// One process. It may be started again after it was killed.
struct Worker {
  Worker(Simulation& table, SharedRecord& shared, source::WorkerPart worker_part)
      : part(worker_part),
        store(shared, table.clock, table.random),
        fleet(store, part, table.clock, table.random),
        gate(table.loop.get_executor(), table.clock, table.rate, pace::kLargestPage) {
    gate.set_rate(0, table.clock.now());
  }

  source::WorkerPart part;
  SimulatedFleetStore store;
  Fleet fleet;
  pace::ReadGate gate;
  asio::cancellation_signal stop_sharing;
  std::vector<std::unique_ptr<asio::cancellation_signal>> stop_reading;
};

const checkpoint::RunIdentity kIdentity = {{"table", "orders"}, {"filter", ""}};

FleetTerms terms(std::uint32_t segments) {
  FleetTerms wanted;
  wanted.identity = kIdentity;
  wanted.segments = segments;
  return wanted;
}

/// From `begin` to `end`, in its share of the segments.
Awaitable<void> work(Simulation& table, Worker& worker, std::chrono::nanoseconds begin,
                     std::chrono::nanoseconds end, FleetMember::State at_the_end) {
  co_await table.clock.sleep(begin);
  FleetTerms wanted = terms(static_cast<std::uint32_t>(table.segments));
  co_await worker.fleet.join(std::move(wanted));
  asio::co_spawn(table.loop, worker.fleet.share_rate(*table.rate, worker.gate),
                 asio::bind_cancellation_slot(worker.stop_sharing.slot(), asio::detached));
  for (std::uint32_t segment = 0; segment < table.segments; ++segment) {
    if (worker.part.has(segment)) {
      worker.stop_reading.push_back(std::make_unique<asio::cancellation_signal>());
      asio::co_spawn(
          table.loop, read_segment(table, worker.gate, segment, table.start + end),
          asio::bind_cancellation_slot(worker.stop_reading.back()->slot(), asio::detached));
    }
  }
  co_await table.clock.sleep(table.start + end - table.clock.now());
  worker.stop_sharing.emit(asio::cancellation_type::terminal);
  for (const auto& stop : worker.stop_reading) {
    stop->emit(asio::cancellation_type::terminal);
  }
  co_await table.clock.sleep(milliseconds(1));
  if (at_the_end != FleetMember::State::reading) {  // or else it is killed
    co_await worker.fleet.leave(at_the_end);
  }
}

struct Course {
  std::chrono::nanoseconds begin = seconds(0);
  std::chrono::nanoseconds end;
  FleetMember::State at_the_end = FleetMember::State::complete;
};

/// Each worker's, in turn.
SharedRecord run_workers(Simulation& table, const std::vector<Course>& courses,
                         const std::function<void(std::vector<std::unique_ptr<Worker>>&)>& before) {
  SharedRecord shared;
  table.start = table.clock.now();
  table.credit_at = table.start;
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < courses.size(); ++i) {
    workers.push_back(std::make_unique<Worker>(
        table, shared,
        source::WorkerPart{.worker = static_cast<std::uint32_t>(i),
                           .workers = static_cast<std::uint32_t>(courses.size())}));
  }
  if (before) {
    before(workers);
  }
  for (std::size_t i = 0; i < courses.size(); ++i) {
    asio::co_spawn(
        table.loop,
        work(table, *workers[i], courses[i].begin, courses[i].end, courses[i].at_the_end),
        [i](const std::exception_ptr& failure) { EXPECT_FALSE(failure) << "worker " << i; });
  }
  table.clock.run();
  return shared;
}

SharedRecord run_workers(Simulation& table, const std::vector<Course>& courses) {
  return run_workers(table, courses, {});
}

double share_of_budget(double units, const Simulation& table) { return units / (60 * *table.rate); }

TEST(FleetSimulation, WithinReadRate) {
  struct Case {
    double rate;
    std::size_t workers;
  };
  for (const Case& one :
       {Case{20, 2}, Case{20, 5}, Case{1000, 2}, Case{1000, 5}, Case{1000, 20}, Case{20'000, 10}}) {
    SCOPED_TRACE(fmt::format("{} workers, {} units/s", one.workers, one.rate));
    Simulation table{.segments = 8 * one.workers, .rate = one.rate, .lasts = seconds(200)};
    std::vector<Course> courses(one.workers, {.end = table.lasts});
    // All but the last end one after the other.
    for (std::size_t i = 0; i + 1 < one.workers; ++i) {
      courses[i].end = seconds(50) + i * seconds(100) / one.workers;
    }
    const SharedRecord shared = run_workers(table, courses);
    // At first, all wait for the first to share.
    const auto begin = table.start + 2 * turn_time(one.workers);
    const Extremes found =
        extremes(table, begin, table.start + table.lasts, std::chrono::minutes(1));
    const double least = share_of_budget(found.least, table);
    const double most = share_of_budget(found.most, table);
    // A minute has a page of each worker more or less, which costs 8 units even at a low rate.
    const double allowance =
        std::max(0.03, share_of_budget(8.0 * static_cast<double>(one.workers), table));
    EXPECT_GE(least, 1 - allowance);
    EXPECT_LE(most, 1.03);
    fmt::print(
        "{:>5} units/s, {:>2} workers: {:.4f} to {:.4f} of the rate in any minute, {} "
        "writes, {} too late\n",
        one.rate, one.workers, least, most, shared.version, shared.refused);
    for (const FleetMember& member : shared.record->members) {
      EXPECT_EQ(member.state, FleetMember::State::complete);
    }
  }
}

TEST(FleetSimulation, ChangingWorkersKeepRate) {
  for (std::uint64_t seed = 1; seed <= cases<std::uint64_t>(2, 10); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Simulation table{.segments = 40, .rate = 400.0, .lasts = seconds(600), .seed = seed};
    Random chance(seed);
    std::vector<Course> courses(10);
    for (Course& course : courses) {
      course.begin = seconds(chance.bits() % 300);
      course.end = course.begin + seconds(30 + chance.bits() % 270);
      course.at_the_end = static_cast<FleetMember::State>(chance.bits() % 3);
    }
    run_workers(table, courses);
    const Extremes found =
        extremes(table, table.start, table.start + table.lasts, std::chrono::minutes(1));
    EXPECT_LE(share_of_budget(found.most, table), 1.03);
    EXPECT_GT(share_of_budget(found.most, table), 0.9);
  }
}

TEST(FleetSimulation, ThrottledShareIsTaken) {
  Simulation table{.segments = 24, .rate = 300.0, .lasts = seconds(400)};
  // Of each three segments one is worker 0's; it reads nothing.
  table.always_throttled = [](std::size_t segment) { return segment % 3 == 0; };
  run_workers(table, std::vector<Course>(3, {.end = seconds(400)}));
  const Extremes found = extremes(table, table.start + seconds(60), table.start + table.lasts,
                                  std::chrono::minutes(1));
  EXPECT_GE(share_of_budget(found.least, table), 0.97);
  EXPECT_LE(share_of_budget(found.most, table), 1.03);
}

TEST(FleetSimulation, KilledShareIsTaken) {
  Simulation table{.segments = 24, .rate = 300.0, .lasts = seconds(300)};
  std::vector<Course> courses(3, {.end = seconds(300)});
  courses[1] = {.end = seconds(100), .at_the_end = FleetMember::State::reading};
  run_workers(table, courses);
  const auto forgotten = table.start + seconds(100) + kClaimsForgotten + 2 * turn_time(3);
  const Extremes after =
      extremes(table, forgotten, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_GE(share_of_budget(after.least, table), 0.97);
  const Extremes always =
      extremes(table, table.start, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_LE(share_of_budget(always.most, table), 1.03);
}

TEST(FleetSimulation, UnreachableWorkerStopsReading) {
  Simulation table{.segments = 24, .rate = 300.0, .lasts = seconds(300)};
  run_workers(table, std::vector<Course>(3, {.end = seconds(300)}), [&](auto& workers) {
    workers[1]->store.down_until.reset();
    asio::co_spawn(
        table.loop,
        [](Simulation& simulation, Worker& worker) -> Awaitable<void> {
          co_await simulation.clock.sleep(seconds(100));
          worker.store.down_until = simulation.clock.now() + seconds(100);
        }(table, *workers[1]),
        asio::detached);
  });
  const auto cut_off = table.start + seconds(100);
  std::size_t before = 0;
  std::size_t meanwhile = 0;
  std::size_t after = 0;
  for (const Simulation::Page& page : table.pages) {
    if (page.segment % 3 == 1) {
      before += page.at < cut_off ? 1 : 0;
      meanwhile +=
          page.at > cut_off + kClaimLife + seconds(1) && page.at < cut_off + seconds(100) ? 1 : 0;
      after += page.at > cut_off + seconds(104) ? 1 : 0;
    }
  }
  EXPECT_GT(before, 10U);
  EXPECT_EQ(meanwhile, 0U);
  EXPECT_GT(after, 10U);
  const Extremes always =
      extremes(table, table.start, table.start + table.lasts, std::chrono::minutes(1));
  EXPECT_LE(share_of_budget(always.most, table), 1.03);
}

// What others do not hear of for long they give to somebody else.
TEST(FleetSimulation, UnwrittenClaimEnds) {
  Simulation table{.segments = 8, .rate = 100.0, .lasts = seconds(200)};
  const auto refuse_for_a_while = [](Simulation& simulation, Worker& worker) -> Awaitable<void> {
    co_await simulation.clock.sleep(seconds(100));
    worker.store.refuses_writes = true;
    co_await simulation.clock.sleep(seconds(60));
    worker.store.refuses_writes = false;
  };
  run_workers(table, {{.end = table.lasts}}, [&](auto& workers) {
    asio::co_spawn(table.loop, refuse_for_a_while(table, *workers[0]), asio::detached);
  });
  const auto pages_between = [&table](std::chrono::nanoseconds begin,
                                      std::chrono::nanoseconds end) {
    return std::ranges::count_if(table.pages, [&](const Simulation::Page& page) {
      return page.at >= table.start + begin && page.at < table.start + end;
    });
  };
  EXPECT_GT(pages_between(seconds(0), seconds(100)), 10);
  EXPECT_EQ(pages_between(seconds(101) + kClaimLife, seconds(160)), 0);
  EXPECT_GT(pages_between(seconds(162), seconds(200)), 10);
}

class FleetTermsTest : public testing::Test {
 protected:
  Fleet fleet(std::uint32_t worker, std::uint32_t workers = 3) {
    return {store_, {.worker = worker, .workers = workers}, clock_, random_};
  }

  /// TotalSegments, or why not.
  std::string join(std::uint32_t worker, FleetTerms wanted, std::uint32_t workers = 3) {
    Fleet joining = fleet(worker, workers);
    std::string result;
    asio::co_spawn(loop_, joining.join(std::move(wanted)),
                   [&](const std::exception_ptr& failure, std::uint32_t segments) {
                     try {
                       if (failure) {
                         std::rethrow_exception(failure);
                       }
                       result = fmt::to_string(segments);
                     } catch (const Error& error) {
                       EXPECT_EQ(error.kind(), ErrorKind::usage);
                       result = error.what();
                     }
                   });
    clock_.run();
    return result;
  }

  asio::io_context loop_{1};
  SimulatedClock clock_{loop_};
  Random random_{1};
  SharedRecord shared_;
  SimulatedFleetStore store_{shared_, clock_, random_};
};

TEST_F(FleetTermsTest, FirstChoosesTheSegments) {
  FleetTerms chooses;
  chooses.identity = kIdentity;
  chooses.choose = [] { return 48U; };
  EXPECT_EQ(join(1, chooses), "48");
  chooses.choose = [] { return 50U; };
  EXPECT_EQ(join(0, chooses), "48");
  EXPECT_EQ(join(2, terms(48)), "48");
  ASSERT_EQ(shared_.record->members.size(), 3U);
  EXPECT_EQ(shared_.record->members[2].worker, 2U);
}

TEST_F(FleetTermsTest, OtherTermsAreRefused) {
  join(0, terms(40));
  const FleetRecord before = *shared_.record;
  const std::string segments = join(1, terms(41));
  EXPECT_NE(segments.find("segments: was 40, is now 41"), std::string::npos) << segments;
  EXPECT_NE(segments.find("dynamodb:checkpoints/nightly"), std::string::npos) << segments;
  EXPECT_NE(segments.find("--restart"), std::string::npos) << segments;
  const std::string workers = join(1, terms(40), 4);
  EXPECT_NE(workers.find("workers: was \"3\", is now \"4\""), std::string::npos) << workers;
  FleetTerms filtered = terms(40);
  filtered.identity[1].value = "a = b";
  EXPECT_NE(join(1, filtered).find("filter: was none, is now \"a = b\""), std::string::npos);
  EXPECT_EQ(*shared_.record, before);

  filtered.restart = true;
  EXPECT_EQ(join(1, filtered), "40");
  EXPECT_EQ(shared_.record->members.size(), 1U) << "the others have not begun this one";
  filtered.restart = false;
  EXPECT_EQ(join(0, filtered), "40");
}

TEST_F(FleetTermsTest, RestartKeepsOthersState) {
  join(0, terms(40));
  FleetTerms again = terms(40);
  again.restart = true;
  EXPECT_EQ(join(1, again), "40");
  EXPECT_EQ(shared_.record->members.size(), 2U);
}

TEST_F(FleetTermsTest, FewSegmentsAreRefused) {
  const std::string refused = join(0, terms(2));
  EXPECT_NE(refused.find("2 segments cannot be shared by 3 workers"), std::string::npos) << refused;
  EXPECT_FALSE(shared_.record);
  EXPECT_EQ(join(0, terms(3)), "3") << "one for each";
}

TEST_F(FleetTermsTest, ReplacedTermsEnd) {
  Fleet first = fleet(0);
  std::string ended;
  const auto course = [&]() -> Awaitable<void> {
    FleetTerms wanted = terms(40);
    co_await first.join(std::move(wanted));
    shared_.record->identity[0].value = "another table";
    co_await first.leave(FleetMember::State::left);
  };
  asio::co_spawn(loop_, course(), [&](const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const Error& error) {
      ended = error.what();
    }
  });
  clock_.run();
  EXPECT_NE(ended.find("started this run over with other settings"), std::string::npos) << ended;
  EXPECT_EQ(shared_.record->members.front().state, FleetMember::State::reading);
}

TEST_F(FleetTermsTest, UnknownMembersAreIgnored) {
  join(1, terms(40));
  shared_.record->identity.push_back({"what later versions have", "yes"});
  Fleet leaving = fleet(0);
  const auto course = [&]() -> Awaitable<void> {
    FleetTerms wanted = terms(40);
    co_await leaving.join(std::move(wanted));
    co_await leaving.leave(FleetMember::State::left);
  };
  asio::co_spawn(loop_, course(), [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
  clock_.run();
  EXPECT_EQ(shared_.record->members.front().state, FleetMember::State::left);
}

TEST_F(FleetTermsTest, LastSeesAllComplete) {
  std::vector<std::vector<std::uint32_t>> not_complete;
  for (const std::uint32_t worker : {2U, 0U, 1U}) {
    Fleet leaving = fleet(worker);
    const auto course = [&]() -> Awaitable<void> {
      FleetTerms wanted = terms(40);
      co_await leaving.join(std::move(wanted));
      co_await leaving.leave(FleetMember::State::complete);
      not_complete.push_back(leaving.not_complete());
    };
    asio::co_spawn(loop_, course(), asio::detached);
    clock_.run();
  }
  EXPECT_EQ(not_complete, (std::vector<std::vector<std::uint32_t>>{{0, 1}, {1}, {}}));
}

}  // namespace
}  // namespace everyitem::run
