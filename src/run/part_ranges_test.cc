#include "run/part_ranges.h"

#include <gtest/gtest.h>

#include "run/sharing_times.h"

namespace everyitem::run {
namespace {

checkpoint::StoredSegment part(std::uint32_t number, bool complete) {
  checkpoint::StoredSegment part{.progress = {.segment = number}};
  part.progress.position.complete = complete;
  return part;
}

/// All parts of a range are seen; these are incomplete.
void see(PartRanges& ranges, checkpoint::PartRange range, std::uint32_t incomplete,
         bool hopeless = false) {
  for (std::uint32_t i = 0; i < range.count; ++i) {
    ranges.saw(part(range.first + i, i >= incomplete), hopeless);
  }
}

TEST(PartRanges, NothingKnown) {
  const PartRanges ranges(2 * kPartsPerLook + 1);
  EXPECT_EQ(ranges.incomplete(), 2 * kPartsPerLook + 1);
  EXPECT_EQ(ranges.all().first, 0U);
  EXPECT_EQ(ranges.all().count, 2 * kPartsPerLook + 1);
  EXPECT_EQ(ranges.next(0).count, kPartsPerLook);
  EXPECT_EQ(ranges.next(2 * kPartsPerLook).count, 1U);
  EXPECT_EQ(ranges.next(2 * kPartsPerLook + 1).first, 0U) << "the last one is short";
  EXPECT_EQ(ranges.next(1).first, kPartsPerLook);
  EXPECT_FALSE(ranges.hopeless());
}

TEST(PartRanges, CompleteRangesAreSkipped) {
  PartRanges ranges(4 * kPartsPerLook);
  see(ranges, ranges.next(0), 0);
  see(ranges, ranges.next(2 * kPartsPerLook), 0);
  EXPECT_EQ(ranges.incomplete(), 2 * kPartsPerLook);
  EXPECT_EQ(ranges.next(0).first, kPartsPerLook);
  EXPECT_EQ(ranges.next(2 * kPartsPerLook).first, 3 * kPartsPerLook);
  EXPECT_EQ(ranges.next(4 * kPartsPerLook).first, kPartsPerLook) << "from the beginning";
  EXPECT_EQ(ranges.all().first, kPartsPerLook);
  EXPECT_EQ(ranges.all().count, 3 * kPartsPerLook);
}

TEST(PartRanges, LastLookCounts) {
  PartRanges ranges(kPartsPerLook + 10);
  see(ranges, ranges.next(0), 7);
  see(ranges, ranges.next(kPartsPerLook), 10);
  EXPECT_EQ(ranges.incomplete(), 17U);
  see(ranges, ranges.next(0), 3);
  EXPECT_EQ(ranges.incomplete(), 13U);
  ranges.completed(2);
  EXPECT_EQ(ranges.incomplete(), 12U);
  see(ranges, ranges.all(), 0);
  EXPECT_EQ(ranges.incomplete(), 0U);
  ranges.completed(2);
  EXPECT_EQ(ranges.incomplete(), 0U);
}

TEST(PartRanges, HopelessIfAllIs) {
  PartRanges ranges(2 * kPartsPerLook);
  see(ranges, ranges.next(0), 1, true);
  EXPECT_FALSE(ranges.hopeless()) << "of the others nothing is known";
  see(ranges, ranges.next(kPartsPerLook), 0);
  EXPECT_TRUE(ranges.hopeless());
  see(ranges, ranges.next(0), 2, false);
  EXPECT_FALSE(ranges.hopeless());
  see(ranges, ranges.next(0), 0);
  EXPECT_FALSE(ranges.hopeless()) << "nothing is left";
}

}  // namespace
}  // namespace everyitem::run
