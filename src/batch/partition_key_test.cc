#include "batch/partition_key.h"

#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace everyitem::batch {
namespace {

source::Item item(std::string_view hash, std::string_view range, std::string_view json = "{}") {
  return {.json = json, .hash_key = hash, .range_key = range};
}

std::string key(const source::Item& of, const PartitionKeys& keys = {}) {
  std::string text(kPartitionKeyLength, '?');
  keys.key(of).write_to(text.data());
  return text;
}

TEST(PartitionKey, OnlyPrimaryKeyCounts) {
  EXPECT_EQ(key(item(R"({"S":"a"})", R"({"N":"1"})", R"({"x":1})")),
            key(item(R"({"S":"a"})", R"({"N":"1"})", R"({"x":2})")));
}

// A later version that resumes a run must send an item to the same shard as before.
TEST(PartitionKey, SameInEveryVersion) {
  EXPECT_EQ(key(item(R"({"S":"a"})", "")), "1aedd905a7857fa5");
  EXPECT_EQ(key(item(R"({"S":"a"})", R"({"N":"1"})")), "2f02ae8d8515cd55");
}

TEST(PartitionKey, BothKeyPartsCount) {
  std::set<std::string> keys;
  for (const std::string_view hash : {R"({"S":"a"})", R"({"S":"b"})"}) {
    for (const std::string_view range : {R"({"N":"1"})", R"({"N":"2"})", ""}) {
      keys.insert(key(item(hash, range)));
    }
  }
  EXPECT_EQ(keys.size(), 6U);
}

TEST(PartitionKey, HashKeySpansShards) {
  std::array<int, 16> by_first_digit{};
  for (int i = 0; i < 16'000; ++i) {
    const std::string range = R"({"N":")" + std::to_string(i) + R"("})";
    const std::string text = key(item(R"({"S":"huge"})", range));
    ++by_first_digit.at(static_cast<std::size_t>(std::stoi(text.substr(0, 1), nullptr, 16)));
  }
  for (const int count : by_first_digit) {
    EXPECT_NEAR(count, 1000, 150);
  }
}

TEST(PartitionKey, KeylessItemIsHashed) {
  EXPECT_NE(key(item("", "", R"({"x":1})")), key(item("", "", R"({"x":2})")));
}

TEST(PartitionKey, RandomKeysFollowSeed) {
  Random first(1);
  Random again(1);
  Random other(2);
  const auto same_item = item(R"({"S":"a"})", "");
  const std::string drawn = key(same_item, PartitionKeys(first));
  EXPECT_EQ(drawn.size(), kPartitionKeyLength);
  EXPECT_EQ(drawn, key(same_item, PartitionKeys(again)));
  EXPECT_NE(drawn, key(same_item, PartitionKeys(first)));
  EXPECT_NE(drawn, key(same_item, PartitionKeys(other)));
}

}  // namespace
}  // namespace everyitem::batch
