#include "pipeline/undeliverable.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace everyitem::pipeline {
namespace {

using testing::ElementsAre;

const source::KeyNames kKeys{.hash = "pk", .range = ""};

/// Six items, in pages of 2, 3 and 1 of the segments 10, 11 and 12. Records 0, 1 and 2 hold two
/// each: 0 and 3, 1 and 4, 2 and 5. The body is not what was read.
batch::RecordBatch batch_of_three_pages() {
  batch::RecordBatch batch;
  batch.body.append("as the destination has it");
  batch.records = {{0, 5}, {5, 5}, {10, 5}};
  for (std::uint32_t i = 0; i < 6; ++i) {
    const std::string item = fmt::format(R"({{"pk":{{"S":"{}"}}}})", i);
    batch.add({.record = i % 3,
               .offset = static_cast<std::uint32_t>(batch.separate_text.size()),
               .length = static_cast<std::uint32_t>(item.size())},
              {.segment = i < 2   ? 10U
                          : i < 5 ? 11U
                                  : 12U,
               .sequence = 0});
    batch.separate_text.append(item);
  }
  return batch;
}

sink::RefusedItem refused(std::uint32_t index) {
  return {.index = index, .code = "InvalidArgumentException", .reason = "in its words"};
}

TEST(Undeliverable, LettersFromBatchAlone) {
  const auto letters =
      refused_letters(batch_of_three_pages(), {refused(0), refused(3), refused(5)}, kKeys);
  ASSERT_EQ(letters.size(), 3U);
  const std::vector<std::pair<int, std::uint32_t>> expected = {{0, 10}, {3, 11}, {5, 12}};
  for (std::size_t i = 0; i < letters.size(); ++i) {
    EXPECT_EQ(letters[i].segment, expected[i].second);
    EXPECT_EQ(letters[i].item, fmt::format(R"({{"pk":{{"S":"{}"}}}})", expected[i].first));
    EXPECT_EQ(letters[i].key, letters[i].item) << "it is nothing but its key";
    EXPECT_EQ(letters[i].code, "InvalidArgumentException");
    EXPECT_EQ(letters[i].reason, "in its words");
  }
}

TEST(Undeliverable, KeyApartFromItem) {
  batch::RecordBatch batch = batch_of_three_pages();
  for (std::uint32_t i = 0; i < 6; ++i) {
    batch.separate_keys.push_back(fmt::format(R"({{"id":{{"N":"{}"}}}})", i));
  }
  const auto letters = refused_letters(batch, {refused(4)}, {.hash = "id", .range = ""});
  EXPECT_EQ(letters.at(0).key, R"({"id":{"N":"4"}})");
  EXPECT_EQ(letters.at(0).item, R"({"pk":{"S":"4"}})");
}

TEST(Undeliverable, ItemWithoutItsKey) {
  const auto letters =
      refused_letters(batch_of_three_pages(), {refused(1)}, {.hash = "pk", .range = "sk"});
  EXPECT_EQ(letters.at(0).key, "");
  EXPECT_EQ(letters.at(0).item, R"({"pk":{"S":"1"}})");
}

TEST(Undeliverable, IndexOutOfRange) {
  EXPECT_THROW(refused_letters(batch_of_three_pages(), {refused(6)}, kKeys), std::out_of_range);
  EXPECT_THROW(delivered_of(batch_of_three_pages(), {refused(6)}), std::out_of_range);
}

TEST(Undeliverable, DeliveredWithoutRefused) {
  const std::uint64_t item_bytes = std::string(R"({"pk":{"S":"0"}})").size();
  const Delivered all = delivered_of(batch_of_three_pages(), {});
  EXPECT_EQ(all.items, 6U);
  EXPECT_EQ(all.records, 3U);
  EXPECT_EQ(all.bytes, 6 * item_bytes);
  EXPECT_THAT(all.refused_by_page, ElementsAre(0, 0, 0));
  // Two records, one of them refused with both of its items.
  const Delivered some = delivered_of(batch_of_three_pages(), {refused(0), refused(3), refused(5)});
  EXPECT_EQ(some.items, 3U);
  EXPECT_EQ(some.records, 1U);
  EXPECT_EQ(some.bytes, 3 * item_bytes);
  EXPECT_THAT(some.refused_by_page, ElementsAre(1, 1, 1));
}

TEST(Undeliverable, ItemsCountAsRecords) {
  batch::RecordBatch batch;
  for (std::uint32_t i = 0; i < 4; ++i) {
    batch.add({.record = i, .offset = 2 * i, .length = 2}, {0, 0});
    batch.body.append("{}");
  }
  EXPECT_EQ(delivered_of(batch, {refused(2)}).records, 3U);
  EXPECT_EQ(delivered_of(batch, {refused(2)}).bytes, 6U);
}

}  // namespace
}  // namespace everyitem::pipeline
