#include "pipeline/event_loops.h"

#include <set>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "base/on_loop.h"
#include "base/run_to_end.h"

namespace everyitem::pipeline {
namespace {

Awaitable<std::thread::id> where() { co_return std::this_thread::get_id(); }

class EventLoopsTest : public testing::Test {
 protected:
  asio::io_context loop_{1};
  EventLoops loops_{loop_.get_executor()};
};

TEST_F(EventLoopsTest, OneThreadPerLoop) {
  loops_.grow(3);
  loops_.grow(2);
  EXPECT_EQ(loops_.size(), 3U);
  const auto work = [this]() -> Awaitable<std::set<std::thread::id>> {
    std::set<std::thread::id> threads;
    for (std::size_t place = 0; place < loops_.size(); ++place) {
      threads.insert(co_await on_loop(loops_.executor(place), where()));
    }
    EXPECT_EQ(std::this_thread::get_id(), co_await where()) << "it comes back";
    co_return threads;
  };
  const std::set<std::thread::id> threads = run_to_end(loop_, work());
  EXPECT_EQ(threads.size(), 3U);
  EXPECT_TRUE(threads.contains(std::this_thread::get_id()));
}

TEST_F(EventLoopsTest, JoinEndsWaitingLoops) {
  loops_.grow(2);
  Event never(loops_.executor(1));
  asio::co_spawn(loops_.executor(1), never.wait(), asio::use_future);
  loops_.join();
  loops_.join();
}

}  // namespace
}  // namespace everyitem::pipeline
