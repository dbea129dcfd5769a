#include "pipeline/page_request.h"

#include <deque>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "support/fake_clock.h"

namespace everyitem::pipeline {
namespace {

constexpr std::size_t kMiB = 1U << 20;

class PageRoomTest : public testing::Test {
 protected:
  PageRoom room(std::size_t bytes) {
    return {loop_.get_executor(), {.pages_at_once = 64, .page_bytes = bytes}};
  }

  /// Requests pages until the room is full.
  static std::deque<PageRoom::Size> fill(PageRoom& room) {
    std::deque<PageRoom::Size> held;
    while (!room.full()) {
      held.push_back(room.hold());
    }
    return held;
  }

  static void read(PageRoom& room, std::size_t bytes, std::size_t memory) {
    PageRoom::Size size = room.hold();
    room.arrived(size, bytes, memory);
    room.let_go(size);
  }

  asio::io_context loop_{1};
};

TEST_F(PageRoomTest, BoundedInBytes) {
  PageRoom pages = room(64 * kMiB);
  read(pages, 7 * kMiB, 7 * kMiB);
  EXPECT_EQ(fill(pages).size(), 9U);
  EXPECT_LE(pages.held().memory, 64 * kMiB);
}

TEST_F(PageRoomTest, BoundedInPagesToo) {
  PageRoom pages = room(64 * kMiB);
  read(pages, 100, 200);
  EXPECT_EQ(fill(pages).size(), 64U);
}

TEST_F(PageRoomTest, OnePageAlwaysFits) {
  PageRoom pages = room(1);
  EXPECT_FALSE(pages.full());
  PageRoom::Size size = pages.hold();
  pages.arrived(size, 14 * kMiB, 14 * kMiB);
  EXPECT_TRUE(pages.full());
  pages.let_go(size);
  EXPECT_FALSE(pages.full());
}

TEST_F(PageRoomTest, LargePageIsRemembered) {
  PageRoom pages = room(64 * kMiB);
  for (const std::size_t mebibytes : {1, 8, 1}) {
    read(pages, mebibytes * kMiB, mebibytes * kMiB);
  }
  EXPECT_LE(fill(pages).size(), 9U);
}

TEST_F(PageRoomTest, SmallPagesMakeRoom) {
  PageRoom pages = room(64 * kMiB);
  for (int i = 0; i < 60; ++i) {
    const std::size_t bytes = (i == 0 ? 16 : 1) * kMiB;
    read(pages, bytes, bytes);
  }
  EXPECT_GE(fill(pages).size(), 60U);
  EXPECT_GE(pages.held().bytes, 60 * kMiB);
}

// The first pages of a table are all requested before one of them has shown how large they are.
TEST_F(PageRoomTest, BodiesWaitForRoom) {
  PageRoom pages = room(64 * kMiB);
  std::deque<PageRoom::Size> held = fill(pages);
  ASSERT_EQ(held.size(), 64U);
  std::vector<std::uint32_t> let_in;
  const auto enter = [&](std::uint32_t rank) -> Awaitable<void> {
    co_await pages.let_in(held[rank], 7 * kMiB, rank);
    let_in.push_back(rank);
  };
  for (std::uint32_t rank = 0; rank < held.size(); ++rank) {
    asio::co_spawn(loop_, enter(rank), asio::detached);
  }
  loop_.poll();
  EXPECT_EQ(let_in.size(), 10U) << "less than 64 MiB, and one more";
  // It needs twice the memory once its items are known.
  pages.arrived(held[0], 7 * kMiB, 14 * kMiB);
  pages.let_go(held[1]);
  loop_.restart();
  loop_.poll();
  EXPECT_EQ(let_in.size(), 10U);
  for (std::uint32_t rank = 2; let_in.size() < held.size(); ++rank) {
    ASSERT_LT(rank, let_in.size()) << "those that are in wait for others";
    pages.let_go(held[rank]);
    loop_.restart();
    loop_.poll();
    EXPECT_LE((let_in.size() - rank) * 7, 64U + 7U);
  }
}

TEST(PageRequest, OnlyThrottlingSlowsReading) {
  asio::io_context loop(1);
  FakeClock clock{std::chrono::system_clock::time_point()};
  pace::ReadGate gate(loop.get_executor(), clock, std::nullopt, 128);
  PageRoom room(loop.get_executor(), {});
  WaitingLine line(loop.get_executor(), [] { return true; });
  pace::ReadGrant grant;
  const auto run = [&] {
    loop.restart();
    loop.run();
  };
  gate.settle(grant, 100, 50);
  run();
  clock.advance(std::chrono::seconds(1));  // and 50 units were served in it
  const auto is_limited_after = [&](aws::ErrorClass failure) {
    PageRequest request(room, line, 0, &gate, grant);
    request.failed(failure, false);
    run();
    asio::co_spawn(loop, gate.take(grant, std::nullopt), asio::detached);
    run();
    return grant.taken.has_value();
  };
  EXPECT_FALSE(is_limited_after(aws::ErrorClass::transient));
  EXPECT_TRUE(is_limited_after(aws::ErrorClass::throttle));
}

}  // namespace
}  // namespace everyitem::pipeline
