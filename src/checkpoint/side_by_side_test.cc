#include "checkpoint/side_by_side.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "support/simulated_clock.h"

namespace everyitem::checkpoint {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

struct SideBySideTest : testing::Test {
  asio::io_context loop{1};
  SimulatedClock clock{loop};
  std::chrono::steady_clock::time_point start = clock.now();
  std::vector<int> items = std::vector<int>(100);
  std::vector<int> done;
  std::size_t at_once = 0;
  std::size_t max_at_once = 0;
  std::exception_ptr failure;
  asio::cancellation_signal cancellation;

  /// Each takes 5 ms, but the 40th fails when `fails`, and none ends when `hangs`.
  void work(bool fails, bool hangs) {
    std::iota(items.begin(), items.end(), 0);
    const auto put = [this, fails, hangs](int item) -> Awaitable<void> {
      max_at_once = std::max(max_at_once, ++at_once);
      co_await clock.sleep(hangs ? std::chrono::nanoseconds(hours(1)) : milliseconds(5));
      --at_once;
      if (fails && item == 40) {
        throw std::runtime_error("the 40th");
      }
      done.push_back(item);
    };
    const auto all = [&]() -> Awaitable<void> { co_await work_side_by_side(items, 20, put); };
    asio::co_spawn(
        loop, all(),
        asio::bind_cancellation_slot(
            cancellation.slot(), [this](const std::exception_ptr& thrown) { failure = thrown; }));
    const auto cancel = [&]() -> Awaitable<void> {
      co_await clock.sleep(milliseconds(7));
      cancellation.emit(asio::cancellation_type::terminal);
    };
    if (hangs) {
      asio::co_spawn(loop, cancel(), [](const std::exception_ptr&) {});
    }
    clock.run();
  }
};

TEST_F(SideBySideTest, AsManyAsAllowed) {
  work(false, false);
  EXPECT_EQ(done.size(), 100U);
  EXPECT_EQ(max_at_once, 20U);
  EXPECT_EQ(clock.now() - start, milliseconds(25));
  EXPECT_FALSE(failure);
}

TEST_F(SideBySideTest, NothingBeginsAfterFailure) {
  work(true, false);
  EXPECT_THROW(std::rethrow_exception(failure), std::runtime_error);
  EXPECT_LT(done.size(), 80U);
}

TEST_F(SideBySideTest, CancelledWhileItHangs) {
  work(false, true);
  EXPECT_EQ(clock.now() - start, milliseconds(7));
  EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error);
}

}  // namespace
}  // namespace everyitem::checkpoint
