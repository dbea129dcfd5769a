#include "emulator/generated_table.h"

#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "emulator/received_items.h"

namespace everyitem::emulator {
namespace {

std::string item(const GeneratedTable& table, std::uint64_t number) {
  std::string json;
  table.append_item(json, number);
  return json;
}

TEST(GeneratedTable, ItemSizeAndNumber) {
  const GeneratedTable table({.items = 1000, .min_item_bytes = 100, .max_item_bytes = 300});
  std::set<std::size_t> sizes;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::string json = item(table, i);
    EXPECT_NO_THROW(boost::json::parse(json));
    EXPECT_EQ(table.number_of(json), i);
    EXPECT_TRUE(table.is_item(json, i));
    sizes.insert(json.size());
  }
  EXPECT_EQ(*sizes.begin(), 100U);
  EXPECT_EQ(*sizes.rbegin(), 300U);
}

TEST(GeneratedTable, ForeignItemUnnumbered) {
  const GeneratedTable table({.items = 10});
  const GeneratedTable larger({.items = 11});
  EXPECT_FALSE(table.number_of(item(larger, 10)));
  EXPECT_FALSE(table.number_of("{}"));
  EXPECT_FALSE(table.number_of(""));
}

TEST(GeneratedTable, AlteredItemDiffers) {
  const GeneratedTable table({.items = 10, .oversize_every = 2, .oversize_bytes = 300});
  for (const std::uint64_t number : {4U, 5U}) {
    const std::string json = item(table, number);
    EXPECT_TRUE(table.is_item(json, number));
    EXPECT_FALSE(table.is_item(json, number + 1));
    EXPECT_FALSE(table.is_item(json + " ", number));
    for (std::size_t i = 0; i < json.size(); ++i) {
      std::string other = json;
      other[i] ^= 1;
      EXPECT_FALSE(table.is_item(other, number)) << i;
      EXPECT_FALSE(table.is_item(json.substr(0, i), number)) << i;
    }
  }
}

TEST(GeneratedTable, EveryNthTooLarge) {
  const GeneratedTable table({.items = 100, .oversize_every = 7});
  std::set<std::string> distinct;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::string json = item(table, i);
    EXPECT_EQ(table.number_of(json), i);
    EXPECT_TRUE(table.is_item(json, i));
    EXPECT_EQ(table.is_oversize(i), i % 7 == 0);
    if (table.is_oversize(i)) {
      EXPECT_GE(json.size(), 1'200'000U);
      EXPECT_LE(json.size(), 1'200'010U);
      EXPECT_GT(boost::json::parse(json).at("data").at("L").as_array().size(), 100'000U);
      distinct.insert(json.substr(json.find("data")));
    } else {
      EXPECT_EQ(json.size(), 400U);
    }
  }
  EXPECT_EQ(distinct.size(), 15U);
}

TEST(GeneratedTable, SegmentsCoverItemsOnce) {
  const GeneratedTable table(
      {.items = 997, .min_item_bytes = 64, .max_item_bytes = 200, .page_bytes = 1000});
  for (const std::uint32_t segments : {1U, 7U, 997U, 2000U}) {
    std::set<std::uint64_t> seen;
    for (std::uint32_t segment = 0; segment < segments; ++segment) {
      std::optional<std::uint64_t> after;
      do {
        const auto page =
            table.page({.segment = segment, .total_segments = segments, .after = after});
        ASSERT_TRUE(page);
        const auto parsed = boost::json::parse(page->body);
        EXPECT_EQ(parsed.at("Count").as_int64(), static_cast<std::int64_t>(page->items));
        for (const auto& one : parsed.at("Items").as_array()) {
          EXPECT_TRUE(seen.insert(*table.number_of(boost::json::serialize(one))).second);
        }
        const auto* key = parsed.as_object().if_contains("LastEvaluatedKey");
        after =
            key == nullptr
                ? std::nullopt
                : table.number_of(boost::json::serialize(*key) + std::string(kMinItemBytes, ' '));
      } while (after);
    }
    EXPECT_EQ(seen.size(), 997U) << segments;
  }
}

TEST(GeneratedTable, EmptyPageAfterFull) {
  const GeneratedTable table({.items = 10});
  const auto full = table.page({.limit = 10});
  EXPECT_EQ(full->items, 10U);
  EXPECT_NE(full->body.find("LastEvaluatedKey"), std::string::npos);
  const auto empty = table.page({.after = 9});
  EXPECT_EQ(empty->items, 0U);
  EXPECT_EQ(empty->body.find("LastEvaluatedKey"), std::string::npos);
}

TEST(GeneratedTable, HalfUnits) {
  const GeneratedTable table({.items = 100, .min_item_bytes = 1000, .max_item_bytes = 1000});
  EXPECT_EQ(table.page({.limit = 4})->read_units, 0.5);  // and 3 commas
  EXPECT_EQ(table.page({.limit = 5})->read_units, 1);
  EXPECT_EQ(table.page({.limit = 5, .consistent_read = true})->read_units, 2);
  EXPECT_EQ(table.page({.after = 99})->read_units, 0.5);
  EXPECT_NE(table.page({.limit = 5})->body.find(R"("CapacityUnits":1.0)"), std::string::npos);
  EXPECT_EQ(table.page({.return_consumed_capacity = false})->body.find("Capacity"),
            std::string::npos);
}

TEST(GeneratedTable, ForeignSegmentsKeyRefused) {
  const GeneratedTable table({.items = 100});
  EXPECT_TRUE(table.page({.segment = 1, .total_segments = 2, .after = 50}));
  EXPECT_FALSE(table.page({.segment = 1, .total_segments = 2, .after = 49}));
}

TEST(ReceivedItems, CountsEachKind) {
  const GeneratedTable table({.items = 3});
  ReceivedItems received(table);
  received.add(item(table, 0));
  received.add(item(table, 2));
  received.add(item(table, 0));
  std::string altered = item(table, 1);
  altered[altered.size() - 5] ^= 1;
  received.add(altered);
  received.add("{}");
  EXPECT_EQ(received.counts().distinct, 2U);
  EXPECT_EQ(received.counts().duplicates, 1U);
  EXPECT_EQ(received.counts().altered, 1U);
  EXPECT_EQ(received.counts().unknown, 1U);
  EXPECT_EQ(received.missing(), 1U);
  EXPECT_TRUE(received.has(0));
  EXPECT_FALSE(received.has(1));
}

}  // namespace
}  // namespace everyitem::emulator
