#include "run/time_limit.h"

#include <chrono>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "support/simulated_clock.h"

namespace everyitem::run {
namespace {

using std::chrono::seconds;

struct TimeLimitTest : testing::Test {
  asio::io_context loop{1};
  SimulatedClock clock{loop};
  std::chrono::steady_clock::time_point start = clock.now();
  std::exception_ptr failure;

  std::optional<bool> ended_within_5_seconds(Awaitable<void> work) {
    std::optional<bool> ended;
    asio::co_spawn(loop, ended_within(clock, seconds(5), std::move(work)),
                   [&](const std::exception_ptr& thrown, bool result) {
                     failure = thrown;
                     if (!thrown) {
                       ended = result;
                     }
                   });
    clock.run();
    return ended;
  }

  Awaitable<void> sleep_for(seconds duration) { co_await clock.sleep(duration); }
  Awaitable<void> fail_after(seconds duration) {
    co_await clock.sleep(duration);
    throw std::runtime_error("failed");
  }
};

TEST_F(TimeLimitTest, EndsByItself) {
  EXPECT_EQ(ended_within_5_seconds(sleep_for(seconds(2))), true);
  EXPECT_EQ(clock.now() - start, seconds(2));
}

TEST_F(TimeLimitTest, CancelledWhenLate) {
  EXPECT_EQ(ended_within_5_seconds(sleep_for(seconds(60))), false);
  EXPECT_EQ(clock.now() - start, seconds(5));
}

TEST_F(TimeLimitTest, FailureIsRethrown) {
  EXPECT_EQ(ended_within_5_seconds(fail_after(seconds(1))), std::nullopt);
  EXPECT_TRUE(failure);
}

}  // namespace
}  // namespace everyitem::run
