#include "pipeline/undeliverable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everyitem::pipeline {
namespace {

using testing::ElementsAre;

const source::KeyNames kKeys{.hash = "pk", .range = ""};

sink::RefusedItem refused(std::uint32_t record, std::uint32_t place) {
  return {.record = record,
          .place = place,
          .code = "InvalidArgumentException",
          .reason = "in its words",
          .item = R"({"pk":{"S":"a"}})"};
}

/// Pages 0, 1 and 2 of segments 10, 11 and 12, of 2, 3 and 1 items.
batch::RecordBatch batch_of_three_pages() {
  batch::RecordBatch batch;
  batch.pages = {{{10, 0}, 2}, {{11, 0}, 3}, {{12, 0}, 1}};
  return batch;
}

std::vector<std::uint32_t> segments(const batch::RecordBatch& batch,
                                    const std::vector<sink::RefusedItem>& items) {
  std::vector<std::uint32_t> segments;
  for (const sink::DeadLetter& letter : refused_letters(batch, items, kKeys)) {
    segments.push_back(letter.segment);
  }
  return segments;
}

TEST(Undeliverable, ARecordThatIsAnItemIsOfThePageThatItsPlaceTells) {
  const batch::RecordBatch batch = batch_of_three_pages();
  const std::vector<sink::RefusedItem> items = {refused(0, 0), refused(1, 0), refused(2, 0),
                                                refused(5, 0)};
  EXPECT_THAT(segments(batch, items), ElementsAre(10, 10, 11, 12));
  EXPECT_THAT(count_by_page(batch, items), ElementsAre(2, 1, 1));
  EXPECT_EQ(sink::count_records(items), 4U);
}

TEST(Undeliverable, TheItemsOfARecordAreOfThePagesThatItsSharesTell) {
  batch::RecordBatch batch = batch_of_three_pages();
  // Record 0 holds an item of each page; record 1 the others.
  batch.shares = {{0, 0, 1}, {0, 1, 1}, {0, 2, 1}, {1, 0, 1}, {1, 1, 2}};
  const std::vector<sink::RefusedItem> first = {refused(0, 0), refused(0, 1), refused(0, 2)};
  EXPECT_THAT(segments(batch, first), ElementsAre(10, 11, 12));
  const std::vector<sink::RefusedItem> second = {refused(1, 0), refused(1, 1), refused(1, 2)};
  EXPECT_THAT(segments(batch, second), ElementsAre(10, 11, 11));
  EXPECT_THAT(count_by_page(batch, second), ElementsAre(1, 2, 0));
  EXPECT_EQ(sink::count_records(second), 1U);
}

}  // namespace
}  // namespace everyitem::pipeline
