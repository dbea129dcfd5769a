#include "source/segment_count.h"

#include <gtest/gtest.h>

namespace everyitem::source {
namespace {

TEST(SegmentCount, SmallTableOneSegment) {
  EXPECT_EQ(choose_segments(1, 8).segments, 1U);
  EXPECT_EQ(choose_segments(64ULL << 20, 8).segments, 1U);
  EXPECT_EQ(choose_segments((64ULL << 20) + 1, 8).segments, 2U);
}

TEST(SegmentCount, LargeTableFillsMachine) {
  EXPECT_EQ(choose_segments(80ULL << 40, 2).segments, 32U);
  EXPECT_EQ(choose_segments(80ULL << 40, 16).segments, 256U);
}

TEST(SegmentCount, UnknownSizeNotEmpty) { EXPECT_EQ(choose_segments(0, 2).segments, 8U); }

TEST(SegmentCount, SharedWithoutCores) {
  const auto of = [](std::uint64_t bytes) { return choose_segments(bytes, std::nullopt).segments; };
  EXPECT_EQ(of(0), 64U);
  EXPECT_EQ(of(1), 1U);
  EXPECT_EQ(of((64ULL << 20) + 1), 2U);
  EXPECT_EQ(of(64ULL << 30), 1024U);
  EXPECT_EQ(of(512ULL << 30), 1024U);
  EXPECT_EQ(of(10ULL << 40), 20'480U);
  EXPECT_EQ(of(1ULL << 60), 1'000'000U);
  EXPECT_EQ(choose_segments(1, std::nullopt).reason, "table about 1 B");
}

TEST(SegmentCount, SaysWhy) {
  EXPECT_EQ(choose_segments(3'200'000'000, 2).reason, "table about 3.2 GB, 2 cores");
  EXPECT_EQ(choose_segments(0, 1).reason, "table of unknown size, 1 core");
}

}  // namespace
}  // namespace everyitem::source
