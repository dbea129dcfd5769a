#include "pipeline/page_request.h"

#include <vector>

#include <gtest/gtest.h>

namespace everyitem::pipeline {
namespace {

constexpr std::size_t kMiB = 1U << 20;

PageRoom::Size size(std::size_t mebibytes) {
  return {.bytes = mebibytes * kMiB, .memory = mebibytes * kMiB};
}

/// Requests pages until the room is full.
std::vector<PageRoom::Size> fill(PageRoom& room) {
  std::vector<PageRoom::Size> held;
  while (!room.full()) {
    held.push_back(room.hold());
  }
  return held;
}

TEST(PageRoom, BoundedInBytes) {
  PageRoom room({.pages_at_once = 64, .page_bytes = 64 * kMiB});
  const PageRoom::Size first = room.hold();
  room.arrived(first, size(7));
  room.let_go(size(7));
  const auto held = fill(room);
  EXPECT_EQ(held.size(), 9U);
  EXPECT_LE(room.held().memory, 64 * kMiB);
}

TEST(PageRoom, BoundedInPagesToo) {
  PageRoom room({.pages_at_once = 64, .page_bytes = 64 * kMiB});
  const PageRoom::Size first = room.hold();
  room.arrived(first, {.bytes = 100, .memory = 200});
  room.let_go({.bytes = 100, .memory = 200});
  EXPECT_EQ(fill(room).size(), 64U);
}

TEST(PageRoom, OnePageAlwaysFits) {
  PageRoom room({.pages_at_once = 64, .page_bytes = 1});
  EXPECT_FALSE(room.full());
  const PageRoom::Size first = room.hold();
  room.arrived(first, size(14));
  EXPECT_TRUE(room.full());
  room.let_go(size(14));
  EXPECT_FALSE(room.full());
}

TEST(PageRoom, LargePageIsRemembered) {
  PageRoom room({.pages_at_once = 64, .page_bytes = 64 * kMiB});
  const auto read = [&](std::size_t mebibytes) {
    const PageRoom::Size expected = room.hold();
    room.arrived(expected, size(mebibytes));
    room.let_go(size(mebibytes));
  };
  read(1);
  read(8);
  read(1);
  EXPECT_LE(fill(room).size(), 9U);
}

TEST(PageRoom, SmallPagesMakeRoomAgain) {
  PageRoom room({.pages_at_once = 64, .page_bytes = 64 * kMiB});
  for (int i = 0; i < 60; ++i) {
    const PageRoom::Size expected = room.hold();
    const PageRoom::Size now = size(i == 0 ? 16 : 1);
    room.arrived(expected, now);
    room.let_go(now);
  }
  EXPECT_GE(fill(room).size(), 60U);
  EXPECT_GE(room.held().bytes, 60 * kMiB);
}

}  // namespace
}  // namespace everyitem::pipeline
