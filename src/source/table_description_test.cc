#include "source/table_description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace everyitem::source {
namespace {

constexpr std::string_view kOrders = R"({"Table":{
  "TableName":"orders","TableStatus":"ACTIVE","TableId":"4f1d",
  "TableArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
  "KeySchema":[{"AttributeName":"customer","KeyType":"HASH"},
               {"AttributeName":"placed","KeyType":"RANGE"}],
  "ItemCount":1000,"TableSizeBytes":400000,
  "GlobalSecondaryIndexes":[{"IndexName":"by-state","ItemCount":900,"IndexSizeBytes":90000}],
  "LocalSecondaryIndexes":[{"IndexName":"by-total","ItemCount":800,"IndexSizeBytes":80000}]}})";

std::string failure(std::string_view body, std::string_view index, bool consistent) {
  try {
    parse_table_description(body, "orders", index, consistent);
  } catch (const Error& error) {
    return error.what();
  }
  return "no failure";
}

TEST(TableDescription, OfATable) {
  const auto table = parse_table_description(kOrders, "orders", "", true);
  EXPECT_EQ(table.arn, "arn:aws:dynamodb:eu-west-1:123456789012:table/orders");
  EXPECT_EQ(table.table_id, "4f1d");
  EXPECT_EQ(table.keys.hash, "customer");
  EXPECT_EQ(table.keys.range, "placed");
  EXPECT_EQ(table.estimated_items, 1000U);
  EXPECT_EQ(table.estimated_bytes, 400000U);
}

TEST(TableDescription, IndexSizeTableKey) {
  const auto global = parse_table_description(kOrders, "orders", "by-state", false);
  EXPECT_EQ(global.keys.hash, "customer");
  EXPECT_EQ(global.estimated_items, 900U);
  EXPECT_EQ(global.estimated_bytes, 90000U);
  EXPECT_EQ(parse_table_description(kOrders, "orders", "by-total", true).estimated_items, 800U);
}

TEST(TableDescription, PositionNamesOfIndexes) {
  const auto names = [](std::string_view body, std::string_view index) {
    return parse_table_description(body, "orders", index, false).position_names;
  };
  EXPECT_THAT(names(kOrders, ""), testing::ElementsAre("customer", "placed"));
  EXPECT_EQ(names(kOrders, "by-state"), std::vector<std::string>()) << "its key is not reported";
  constexpr std::string_view kIndexed = R"({"Table":{"TableStatus":"ACTIVE",
    "KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}],
    "GlobalSecondaryIndexes":[{"IndexName":"i","KeySchema":[
      {"AttributeName":"b","KeyType":"HASH"},{"AttributeName":"c","KeyType":"RANGE"}]}]}})";
  EXPECT_THAT(names(kIndexed, "i"), testing::ElementsAre("a", "b", "c"));
}

TEST(TableDescription, MissingIndexListsOthers) {
  EXPECT_EQ(
      failure(kOrders, "by-date", false),
      "--index is \"by-date\", which table orders does not have. It has: by-state, by-total.");
}

TEST(TableDescription, ConsistentGlobalIndexRefused) {
  EXPECT_NE(failure(kOrders, "by-state", true).find("--consistent"), std::string::npos);
}

TEST(TableDescription, OnlyReadableTable) {
  for (const std::string status : {"DELETING", "ARCHIVED"}) {
    const std::string body = R"({"Table":{"TableStatus":")" + status +
                             R"(","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}]}})";
    EXPECT_NE(failure(body, "", false).find(status), std::string::npos);
  }
}

TEST(TableDescription, SizesMayBeAbsent) {
  const auto table = parse_table_description(
      R"({"Table":{"TableStatus":"UPDATING","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}]}})",
      "t", "", false);
  EXPECT_EQ(table.estimated_items, 0U);
  EXPECT_EQ(table.keys.range, "");
}

// The read capacity

/// `settings`: members of the table, or of its global index.
ReadCapacity capacity(const std::string& settings, const std::string& indexes = "",
                      std::string_view index = "") {
  const std::string body =
      R"({"Table":{"TableStatus":"ACTIVE","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}])" +
      settings + indexes + "}}";
  return parse_table_description(body, "t", index, false).read_capacity;
}

constexpr const char* kOnDemand = R"(,"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"})"
                                  R"(,"ProvisionedThroughput":{"ReadCapacityUnits":0})";

TEST(ReadCapacity, OfAProvisionedTable) {
  const auto found = capacity(R"(,"ProvisionedThroughput":{"ReadCapacityUnits":2500})");
  EXPECT_EQ(found.mode, ReadCapacity::Mode::provisioned);
  EXPECT_EQ(found.units_per_second, 2500);
  EXPECT_EQ(found.text(), "provisioned: 2,500 read units/s");
}

TEST(ReadCapacity, OnDemandMaximum) {
  const auto found =
      capacity(std::string(kOnDemand) + R"(,"OnDemandThroughput":{"MaxReadRequestUnits":700})");
  EXPECT_EQ(found.mode, ReadCapacity::Mode::on_demand);
  EXPECT_EQ(found.units_per_second, 700);
  EXPECT_EQ(found.text(), "on demand, at most 700 read units/s");
}

TEST(ReadCapacity, OnDemandWithoutMaximum) {
  for (const char* settings : {"", R"(,"OnDemandThroughput":{"MaxReadRequestUnits":-1})",
                               R"(,"OnDemandThroughput":null)"}) {
    const auto found = capacity(std::string(kOnDemand) + settings);
    EXPECT_EQ(found.mode, ReadCapacity::Mode::on_demand);
    EXPECT_EQ(found.units_per_second, std::nullopt);
    EXPECT_EQ(found.text(), "on demand, no maximum set");
  }
}

TEST(ReadCapacity, GlobalIndexHasOwn) {
  const std::string table = R"(,"ProvisionedThroughput":{"ReadCapacityUnits":100})";
  const std::string indexes =
      R"(,"GlobalSecondaryIndexes":[{"IndexName":"g","ProvisionedThroughput":)"
      R"({"ReadCapacityUnits":7}}],"LocalSecondaryIndexes":[{"IndexName":"l"}])";
  EXPECT_EQ(capacity(table, indexes).units_per_second, 100);
  EXPECT_EQ(capacity(table, indexes, "g").units_per_second, 7);
  EXPECT_EQ(capacity(table, indexes, "l").units_per_second, 100);
  EXPECT_TRUE(capacity(table, indexes, "g").of_index);
  EXPECT_FALSE(capacity(table, indexes, "l").of_index);
  EXPECT_FALSE(capacity(table, indexes).of_index);
}

TEST(ReadCapacity, MayNotBeTold) {
  EXPECT_EQ(capacity("").mode, ReadCapacity::Mode::unknown);
  EXPECT_EQ(capacity("").units_per_second, std::nullopt);
}

TEST(TableDescription, CreatingIsNotReady) {
  EXPECT_THROW(parse_table_description(R"({"Table":{"TableStatus":"CREATING","KeySchema":[)"
                                       R"({"AttributeName":"id","KeyType":"HASH"}]}})",
                                       "t", "", false),
               aws::NotReady);
  EXPECT_THROW(parse_table_description(R"({"Table":{"TableStatus":"ACTIVE","KeySchema":[)"
                                       R"({"AttributeName":"id","KeyType":"HASH"}],)"
                                       R"("GlobalSecondaryIndexes":[{"IndexName":"g",)"
                                       R"("IndexStatus":"CREATING"}]}})",
                                       "t", "g", false),
               aws::NotReady);
}

TEST(TableDescription, OtherAnswerIsMalformed) {
  for (const std::string_view body :
       {"", "[]", "{}", R"({"Table":7})", R"({"Table":{"TableStatus":"ACTIVE"}})",
        R"({"Table":{"TableStatus":"ACTIVE","KeySchema":[]}})"}) {
    try {
      parse_table_description(body, "t", "", false);
      FAIL() << body;
    } catch (const aws::MalformedResponse& error) {
      // Boost.JSON's own words name its source files.
      EXPECT_EQ(std::string_view(error.what()).find(".hpp"), std::string_view::npos);
    }
  }
}

TEST(KeyOfScan, NamesComeFromPosition) {
  const auto one = parse_key_of_scan(
      R"({"Count":1,"ScannedCount":1,"LastEvaluatedKey":{"customer":{"S":"x"}}})");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->keys.hash, "customer");
  EXPECT_EQ(one->keys.range, "");
  EXPECT_EQ(one->read_capacity.mode, ReadCapacity::Mode::unknown);
  const auto two =
      parse_key_of_scan(R"({"LastEvaluatedKey":{"placed":{"N":"1"},"customer":{"S":"x"}}})");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->keys.hash, "customer");
  EXPECT_EQ(two->keys.range, "placed");
}

TEST(KeyOfScan, NothingFromEmptyTable) {
  EXPECT_FALSE(parse_key_of_scan(R"({"Count":0,"ScannedCount":0})"));
}

TEST(KeyOfScan, UnusableResponseIsRefused) {
  for (const char* body : {"", "[]", R"({"LastEvaluatedKey":1})", R"({"LastEvaluatedKey":{}})",
                           R"({"LastEvaluatedKey":{"a":{},"b":{},"c":{}}})"}) {
    EXPECT_THROW(parse_key_of_scan(body), aws::MalformedResponse) << body;
  }
}

}  // namespace
}  // namespace everyitem::source
