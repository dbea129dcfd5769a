#include "base/on_loop.h"

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include "base/run_to_end.h"

namespace everyitem {
namespace {

class OnLoop : public testing::Test {
 public:
  ~OnLoop() override {
    work_.reset();
    thread_.join();
  }

 protected:
  asio::any_io_executor here() { return loop_.get_executor(); }
  asio::any_io_executor there() { return other_.get_executor(); }

  asio::io_context loop_{1};
  asio::io_context other_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{other_.get_executor()};
  std::thread thread_{[this] { other_.run(); }};
};

TEST_F(OnLoop, RunsThereAndReturns) {
  const auto name = []() -> Awaitable<std::string> { co_return "done"; };
  const auto where = []() -> Awaitable<std::thread::id> { co_return std::this_thread::get_id(); };
  const auto work = [&]() -> Awaitable<void> {
    EXPECT_EQ(co_await on_loop(there(), name()), "done");
    EXPECT_EQ(co_await on_loop(there(), where()), thread_.get_id());
    EXPECT_EQ(co_await on_loop(here(), where()), std::this_thread::get_id());
    EXPECT_EQ(co_await where(), std::this_thread::get_id());
  };
  run_to_end(loop_, work());
}

TEST_F(OnLoop, ExceptionsComeBack) {
  const auto fail = [](bool really) -> Awaitable<int> {
    if (really) {
      throw std::runtime_error("over there");
    }
    co_return 0;
  };
  EXPECT_THROW(run_to_end(loop_, on_loop(there(), fail(true))), std::runtime_error);
}

TEST_F(OnLoop, CancellationReachesWork) {
  std::atomic<bool> begun = false;
  const auto wait_for_ever = [&]() -> Awaitable<void> {
    asio::steady_timer timer(there(), asio::steady_timer::time_point::max());
    begun = true;
    co_await timer.async_wait(asio::use_awaitable);
  };
  asio::cancellation_signal cancellation;
  bool aborted = false;
  const auto on_end = [&](const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
      aborted = error.code() == asio::error::operation_aborted;
    }
  };
  asio::co_spawn(loop_, on_loop(there(), wait_for_ever()),
                 asio::bind_cancellation_slot(cancellation.slot(), on_end));
  while (!begun) {
    loop_.poll();
  }
  cancellation.emit(asio::cancellation_type::terminal);
  loop_.run();
  EXPECT_TRUE(aborted);
}

/// A cancellation cannot be recalled once it is on its way to the other loop.
TEST_F(OnLoop, LateCancellationIsHarmless) {
  std::promise<void> ended_there;
  std::promise<void> go_on;
  const auto work = [&]() -> Awaitable<void> {
    co_await asio::post(there(), asio::use_awaitable);
    asio::post(there(), [&] {  // the cancellation has to wait for this
      ended_there.set_value();
      go_on.get_future().wait();
    });
  };
  const auto more_work = [&]() -> Awaitable<void> {
    co_await asio::post(there(), asio::use_awaitable);
  };
  int ended = 0;
  int failed = 0;
  const auto on_end = [&](const std::exception_ptr& failure) { ++(failure ? failed : ended); };
  asio::cancellation_signal cancellation;
  asio::cancellation_signal nobodys;
  asio::co_spawn(loop_, on_loop(there(), work()),
                 asio::bind_cancellation_slot(cancellation.slot(), on_end));
  loop_.run_one();
  ended_there.get_future().wait();
  cancellation.emit(asio::cancellation_type::terminal);
  loop_.run();
  asio::co_spawn(loop_, on_loop(there(), more_work()),
                 asio::bind_cancellation_slot(nobodys.slot(), on_end));
  loop_.restart();
  loop_.run_one();
  go_on.set_value();
  loop_.run();
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace everyitem
