#include "pipeline/task_group.h"

#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_server.h"

namespace everyitem::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TaskGroupTest : public testing::Test {
 protected:
  void note_failure(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      failures_.emplace_back(error.what());
    }
  }
  std::function<void(std::exception_ptr)> on_failure() {
    return [this](const std::exception_ptr& failure) { note_failure(failure); };
  }

  Awaitable<void> wait_a_while(int turns) {
    for (int i = 0; i < turns; ++i) {
      co_await http::yield();
    }
    ++ended_;
  }
  Awaitable<void> throw_later(std::string what) {
    co_await http::yield();
    throw std::runtime_error(what);
  }
  Awaitable<void> abort_later() {
    co_await http::yield();
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  Awaitable<void> wait_for_ever() {
    asio::steady_timer timer(loop_, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
  }
  void wait_for_all() { http::run(loop_, group_.wait()); }

  asio::io_context loop_;
  TaskGroup group_{loop_.get_executor()};
  int ended_ = 0;
  std::vector<std::string> failures_;
};

TEST_F(TaskGroupTest, EmptyGroupNeverWaits) {
  wait_for_all();
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(TaskGroupTest, AllTasksAwaited) {
  for (int turns = 0; turns < 20; ++turns) {
    group_.spawn(wait_a_while(turns), {}, on_failure());
  }
  wait_for_all();
  EXPECT_EQ(ended_, 20);
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(TaskGroupTest, FailureLeavesOthersRunning) {
  group_.spawn(wait_a_while(10), {}, on_failure());
  group_.spawn(throw_later("first"), {}, on_failure());
  group_.spawn(throw_later("second"), {}, on_failure());
  wait_for_all();
  EXPECT_EQ(ended_, 1);
  EXPECT_THAT(failures_, ElementsAre("first", "second"));
}

TEST_F(TaskGroupTest, CancelledIsNoFailure) {
  asio::cancellation_signal cancellation;
  group_.spawn(wait_for_ever(), cancellation.slot(), on_failure());
  const auto cancel_and_wait = [&]() -> Awaitable<void> {
    co_await http::yield();
    cancellation.emit(asio::cancellation_type::terminal);
    co_await group_.wait();
  };
  http::run(loop_, cancel_and_wait());
  EXPECT_THAT(failures_, IsEmpty());
}

TEST_F(TaskGroupTest, UncancellableAbortIsFailure) {
  group_.spawn(abort_later(), {}, on_failure());
  wait_for_all();
  EXPECT_EQ(failures_.size(), 1U);
}

TEST_F(TaskGroupTest, AwaitsTaskAfterFailure) {
  group_.spawn(throw_later("first"), {}, [this](const std::exception_ptr& failure) {
    note_failure(failure);
    group_.spawn(wait_a_while(5), {}, on_failure());
  });
  wait_for_all();
  EXPECT_EQ(ended_, 1);
}

}  // namespace
}  // namespace everyitem::pipeline
