#include "run/run_stop.h"

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/simulated_clock.h"

namespace everyitem::run {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

struct RunStopTest : testing::Test {
  asio::io_context loop{1};
  SimulatedClock clock{loop};
  std::vector<std::string> notices;
  Notice notice = [this](const Message& text) { notices.push_back(text.text()); };
  RunStop stop{clock, notice};
  std::chrono::steady_clock::time_point start = clock.now();
  std::exception_ptr failure;
  bool ended = false;

  void run(Awaitable<void> work) {
    asio::co_spawn(loop, std::move(work), [this](const std::exception_ptr& thrown) {
      failure = thrown;
      ended = true;
    });
    clock.run();
    EXPECT_TRUE(ended);
  }
  Awaitable<void> sleep_for(std::chrono::nanoseconds time) { co_await clock.sleep(time); }
  Awaitable<void> fail() {
    co_await clock.sleep(seconds(1));
    throw std::runtime_error("failed");
  }
  void request_after(seconds time) {
    const auto request = [this](seconds after) -> Awaitable<void> {
      co_await clock.sleep(after);
      stop.request(nullptr);
    };
    requests.emplace_back(request);
    asio::co_spawn(loop, requests.back()(time), [](const std::exception_ptr&) {});
  }

  std::vector<std::function<Awaitable<void>(seconds)>> requests;
};

TEST_F(RunStopTest, CancelsTheStartUp) {
  request_after(seconds(3));
  run(stop.start_up(sleep_for(hours(1))));
  EXPECT_EQ(clock.now() - start, seconds(3));
  EXPECT_FALSE(failure);
}

TEST_F(RunStopTest, RequestedBeforeTheStart) {
  stop.request(nullptr);
  run(stop.start_up(sleep_for(hours(1))));
  EXPECT_EQ(clock.now(), start);
}

TEST_F(RunStopTest, StartUpFails) {
  run(stop.start_up(fail()));
  EXPECT_THROW(std::rethrow_exception(failure), std::runtime_error);
}

TEST_F(RunStopTest, ReleaseBoundedAfterStop) {
  stop.request(nullptr);
  run(stop.release(sleep_for(hours(1))));
  EXPECT_EQ(clock.now() - start, RunStop::kMaxRelease);
  EXPECT_THAT(notices,
              ElementsAre("could not release the run in time; its lease expires by itself"));
}

TEST_F(RunStopTest, ReleaseOtherwiseTakesTime) {
  run(stop.release(sleep_for(hours(1))));
  EXPECT_EQ(clock.now() - start, hours(1));
  EXPECT_THAT(notices, IsEmpty());
}

TEST(StopLimits, LessThanDockerWaits) {
  const pipeline::StopLimits limits;
  EXPECT_LT(limits.delivering + limits.saving + RunStop::kMaxRelease, seconds(10));
}

}  // namespace
}  // namespace everyitem::run
