#include "pipeline/waiting_line.h"

#include <functional>
#include <list>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everyitem::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct WaitingLineTest : testing::Test {
  asio::io_context loop;
  int open = 0;  ///< this many may pass
  WaitingLine line{loop.get_executor(), [this] { return open > 0; }};
  std::vector<std::uint32_t> passed;
  std::list<asio::cancellation_signal> cancellations;

  void come(std::uint32_t rank) {
    const auto wait = [this](std::uint32_t own) -> Awaitable<void> {
      co_await line.pass(own);
      --open;
      passed.push_back(own);
    };
    waits.emplace_back(wait);
    asio::co_spawn(loop, waits.back()(rank),
                   asio::bind_cancellation_slot(cancellations.emplace_back().slot(),
                                                [](const std::exception_ptr&) {}));
    settle();
  }
  void let_pass(int count) {
    open = count;
    line.wake();
    settle();
  }
  void settle() {
    loop.restart();
    loop.poll();
  }

  std::list<std::function<Awaitable<void>(std::uint32_t)>> waits;
};

TEST_F(WaitingLineTest, NobodyWaitsWhileOpen) {
  open = 2;
  come(7);
  come(3);
  EXPECT_THAT(passed, ElementsAre(7, 3));
}

TEST_F(WaitingLineTest, LowestRankIsNext) {
  for (const std::uint32_t rank : {5U, 9U, 2U, 7U}) {
    come(rank);
  }
  EXPECT_THAT(passed, IsEmpty());
  let_pass(1);
  EXPECT_THAT(passed, ElementsAre(2));
  let_pass(2);
  EXPECT_THAT(passed, ElementsAre(2, 5, 7));
  let_pass(1);  // nobody may wait longer than the line is there
}

TEST_F(WaitingLineTest, EqualRanksInOrder) {
  come(4);
  come(4);
  come(1);
  let_pass(3);
  EXPECT_THAT(passed, ElementsAre(1, 4, 4));
}

TEST_F(WaitingLineTest, CancelledLeavesLine) {
  come(1);
  cancellations.front().emit(asio::cancellation_type::terminal);
  settle();
  come(2);
  let_pass(1);
  EXPECT_THAT(passed, ElementsAre(2));
}

}  // namespace
}  // namespace everyitem::pipeline
