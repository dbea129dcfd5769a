#include "run/run_opening.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_to_end.h"
#include "checkpoint/sqlite_store.h"
#include "support/fake_clock.h"
#include "support/test_ends.h"
#include "support/test_server.h"

namespace everyitem::run {
namespace {

using testing::ElementsAre;

/// What happened, and whether the run's record was durable by then.
struct OpeningLog {
  void add(const std::string& what) { lines.push_back(what + (is_durable() ? ", durable" : "")); }
  bool is_durable() const {
    checkpoint::SqliteStore store(file, clock);
    const auto view = run_to_end(store.look());
    return view && view->state.token != earlier;
  }

  std::string file;
  std::string earlier;  ///< the token of the run that is replaced
  const Clock& clock;
  std::vector<std::string> lines;
};

struct LoggedSource final : TestSource {
  LoggedSource(OpeningLog& to, std::optional<double> cost) : log(to), units(cost) {}
  Awaitable<std::optional<double>> try_read() override {
    log.add("tried");
    co_return units;
  }
  OpeningLog& log;
  std::optional<double> units;
};

struct LoggedDestination final : TestDestination {
  LoggedDestination(OpeningLog& to, bool refusing) : log(to), refuses(refusing) {}
  Awaitable<void> prepare(RunStart start) override {
    log.add(start.kind == RunStart::Kind::resume    ? "prepared to resume"
            : start.kind == RunStart::Kind::restart ? "prepared to restart"
                                                    : "prepared");
    if (refuses) {
      throw usage_error("it is not empty", "Empty it.");
    }
    co_return;
  }
  checkpoint::RunIdentity marks() const override { return {{"mark", "m"}}; }
  void begin() override { log.add("begun"); }
  OpeningLog& log;
  bool refuses;
};

class RunOpeningTest : public testing::Test {
 public:
  RunOpeningTest() {
    std::string name = testing::TempDir() + "run_opening_XXXXXX";
    folder_ = mkdtemp(name.data());
    log_.file = folder_ + "/checkpoint";
    settings_.checkpoint = checkpoint::SqliteLocation{.path = log_.file};
    settings_.dead_letters = DeadLettersInFile{.path = folder_ + "/letters"};
  }
  ~RunOpeningTest() override { std::filesystem::remove_all(folder_); }

 protected:
  struct Opened {
    std::optional<checkpoint::RunState> state;
    ScanProgress before;
    bool claimed = false;
    bool failed = false;
    std::vector<std::string> log;
  };

  /// As a process of its own would, and released then.
  Opened open() {
    asio::io_context loop(1);
    RunLoops loops(loop.get_executor(), 1);
    const RunContext context{.environment = [](std::string_view) { return std::string(); },
                             .clock = clock_,
                             .only_resumes = only_resumes_};
    const Notice notice = [](const Message&) {};
    const RunKinds opened = kinds();
    RunOpening opening(settings_, context, opened, loops, notice);
    Opened result;
    const auto work = [&]() -> Awaitable<void> {
      try {
        co_await opening.open();
      } catch (const Error&) {
        result.failed = true;
      }
      co_await opening.claim()->release(notice);
    };
    http::run(loop, work());
    result.state = opening.state();
    result.before = opening.before();
    result.claimed = opening.claimed();
    result.log = std::exchange(log_.lines, {});
    return result;
  }

  RunKinds kinds() {
    RunKinds kinds;
    const auto wanted = [](const ScanSettings&) { return true; };
    kinds.sources.push_back(
        {.name = "test",
         .is_wanted = wanted,
         .describe = [this](SourceContext) -> Awaitable<std::unique_ptr<Source>> {
           co_return std::make_unique<LoggedSource>(log_, units_);
         }});
    kinds.destinations.push_back(
        {.name = "test",
         .is_wanted = wanted,
         .describe = [this](DestinationContext) -> Awaitable<std::unique_ptr<Destination>> {
           co_return std::make_unique<LoggedDestination>(log_, refuses_);
         }});
    return kinds;
  }

  std::string folder_;
  FakeClock clock_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27}};
  ScanSettings settings_;
  OpeningLog log_{.file = {}, .earlier = {}, .clock = clock_, .lines = {}};
  bool refuses_ = false;
  std::optional<double> units_ = 0.5;
  bool only_resumes_ = false;
};

TEST_F(RunOpeningTest, RecordBeforeAnythingGoes) {
  const Opened first = open();
  EXPECT_THAT(first.log, ElementsAre("tried", "prepared", "begun, durable"));
  EXPECT_TRUE(first.claimed);
  EXPECT_EQ(first.before.segments, 8U);
  EXPECT_EQ(first.before.counters.read_units, 0.5);
  EXPECT_TRUE(first.before.begun);
  ASSERT_TRUE(first.state);
  EXPECT_EQ(first.state->identity.back(), (checkpoint::IdentityPart{"mark", "m"}));
}

TEST_F(RunOpeningTest, ResumesWithoutTrying) {
  const Opened first = open();
  const Opened second = open();
  EXPECT_THAT(second.log, ElementsAre("prepared to resume, durable", "begun, durable"));
  ASSERT_TRUE(first.state && second.state);
  EXPECT_EQ(second.state->token, first.state->token);
  EXPECT_TRUE(second.before.resumed);
  EXPECT_EQ(second.before.counters.read_units, 0);
}

TEST_F(RunOpeningTest, RestartReplacesRecordFirst) {
  const Opened first = open();
  log_.earlier = first.state->token;
  settings_.restart = true;
  const Opened second = open();
  EXPECT_THAT(second.log, ElementsAre("tried", "prepared to restart", "begun, durable"));
  EXPECT_NE(second.state->token, first.state->token);
}

TEST_F(RunOpeningTest, RefusedRestartLeavesRun) {
  const Opened first = open();
  settings_.restart = true;
  refuses_ = true;
  const Opened refused = open();
  EXPECT_TRUE(refused.failed);
  EXPECT_FALSE(refused.before.begun);
  settings_.restart = false;
  refuses_ = false;
  EXPECT_EQ(open().state->token, first.state->token);
}

TEST_F(RunOpeningTest, UnkeepableRateBeginsNothing) {
  units_.reset();
  settings_.read_rate.units = 10;
  const Opened refused = open();
  EXPECT_TRUE(refused.failed);
  EXPECT_THAT(refused.log, ElementsAre("tried"));
  EXPECT_FALSE(refused.before.begun);
  settings_.read_rate.units.reset();
  EXPECT_TRUE(open().before.begun);
}

TEST_F(RunOpeningTest, ResumeOnlyNeverBegins) {
  only_resumes_ = true;
  const Opened opened = open();
  EXPECT_FALSE(opened.state);
  EXPECT_THAT(opened.log, ElementsAre());
  EXPECT_FALSE(log_.is_durable());
}

}  // namespace
}  // namespace everyitem::run
