#include "run/table_source.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/described_end.h"

namespace everyitem::run {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kTableArn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders";

std::string description(std::uint64_t items = 1200) {
  return http::answer(
      fmt::format(R"({{"Table":{{"TableName":"orders","TableStatus":"ACTIVE","TableId":"id-1",)"
                  R"("TableArn":"{}","KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}}],)"
                  R"("BillingModeSummary":{{"BillingMode":"PROVISIONED"}},)"
                  R"("ProvisionedThroughput":{{"ReadCapacityUnits":40,"WriteCapacityUnits":1}},)"
                  R"("ItemCount":{},"TableSizeBytes":5000000}}}})",
                  kTableArn, items));
}

std::string empty_page() {
  return http::answer(R"({"Items":[],"Count":0,"ConsumedCapacity":{"CapacityUnits":1.5}})");
}

/// Of one item, which says what the table's key is.
std::string key_page() {
  return http::answer(
      R"({"Items":[],"Count":0,"ScannedCount":1,"LastEvaluatedKey":{"pk":{"S":"a"}}})");
}

std::string table_refusal(std::string_view code, std::string_view message = "not today") {
  return http::answer(fmt::format(R"({{"__type":"{}","message":"{}"}})", code, message),
                      "400 Bad Request");
}

/// A table behind a server of the test's own, described as a run does it.
class TableSourceTest : public DescribedEndTest {
 protected:
  TableSourceTest() {
    settings_.table = aws::ResourceName{.name = "orders", .arn = {}, .region = {}};
  }

  std::unique_ptr<Source> describe() {
    const auto serve = [this](http::Peer& peer) -> Awaitable<void> {
      while (const std::optional<std::string> request = co_await peer.read_request()) {
        const bool scans = request->find("20120810.Scan") != std::string::npos;
        if (scans) {
          scans_.push_back(boost::json::parse(http::body_of(*request)).as_object());
        }
        const bool asks_who = request->find("GetCallerIdentity") != std::string::npos;
        const std::string bytes = scans      ? scan_answer_
                                  : asks_who ? caller_of_account()
                                             : description_;
        co_await peer.write(bytes);
      }
    };
    return described<Source>(serve, [this](RunServices& services) {
      return table_source().describe({.settings = settings_, .services = services});
    });
  }

  std::optional<double> tried(Source& source) {
    std::optional<double> units;
    const auto work = [&]() -> Awaitable<void> { units = co_await source.try_read(); };
    http::run(loop_, work());
    return units;
  }

  std::string description_ = description();
  std::string scan_answer_ = empty_page();
  std::vector<boost::json::object> scans_;
};

TEST_F(TableSourceTest, DescribedTable) {
  const auto source = describe();
  EXPECT_EQ(source->arn(), kTableArn);
  EXPECT_EQ(source->location(), "eu-west-1/123456789012/orders\n");
  EXPECT_EQ(source->text().text(),
            "table orders in eu-west-1, account 123456789012: about 1,200 items, 5.0 MB");
  EXPECT_EQ(source->estimated_items(), 1200U);
  EXPECT_EQ(source->estimated_bytes(), 5'000'000U);
  EXPECT_EQ(source->read_capacity().units_per_second, 40);
  EXPECT_THAT(source->notices(), IsEmpty());
  EXPECT_THAT(scans_, IsEmpty());
}

TEST_F(TableSourceTest, UncountedTableNoItems) {
  description_ = description(0);
  EXPECT_THAT(describe()->text().text(), HasSubstr("no items when DynamoDB last counted them"));
}

TEST_F(TableSourceTest, IdentityOfDescribedTable) {
  settings_.scan.filter_expression = " a  =  :a ";
  settings_.scan.attribute_values = R"({":a":{"S":"x"}})";
  const checkpoint::RunIdentity identity = describe()->identity();
  EXPECT_THAT(identity,
              testing::IsSupersetOf({checkpoint::IdentityPart{"table", "orders"},
                                     checkpoint::IdentityPart{"region", "eu-west-1"},
                                     checkpoint::IdentityPart{"account", "123456789012", true},
                                     checkpoint::IdentityPart{"table id", "id-1", true},
                                     checkpoint::IdentityPart{"consistent", "no"},
                                     checkpoint::IdentityPart{"filter", "a=:a"}}));
}

TEST_F(TableSourceTest, DeniedReadsOneItem) {
  description_ = table_refusal("AccessDeniedException");
  scan_answer_ = key_page();
  const auto source = describe();
  ASSERT_EQ(scans_.size(), 1U);
  EXPECT_EQ(scans_[0].at("Limit"), 1);
  EXPECT_THAT(source->text().text(), HasSubstr("size unknown"));
  EXPECT_EQ(source->location(), "eu-west-1/123456789012/orders\n") << "as if it were described";
  EXPECT_THAT(texts_of(source->notices()),
              ElementsAre(AllOf(HasSubstr("size and read capacity are not known"),
                                HasSubstr("AccessDeniedException"))));
  EXPECT_THAT(source->identity(),
              testing::IsSupersetOf({checkpoint::IdentityPart{"table", "orders"},
                                     checkpoint::IdentityPart{"region", "eu-west-1"},
                                     checkpoint::IdentityPart{"account", "123456789012", true},
                                     checkpoint::IdentityPart{"table id", "", true}}));
}

TEST_F(TableSourceTest, DeniedEmptyTableRefused) {
  description_ = table_refusal("AccessDeniedException");
  EXPECT_THAT(message_of([&] { describe(); }), HasSubstr("AccessDeniedException"));
}

TEST_F(TableSourceTest, IndexMustBeDescribed) {
  settings_.scan.index = "by-date";
  description_ = table_refusal("AccessDeniedException");
  scan_answer_ = key_page();
  EXPECT_THAT(message_of([&] { describe(); }), HasSubstr("AccessDeniedException"));
  EXPECT_THAT(scans_, IsEmpty());
}

TEST_F(TableSourceTest, OtherFailuresAreFinal) {
  description_ = table_refusal("ResourceNotFoundException");
  EXPECT_THAT(message_of([&] { describe(); }), HasSubstr("ResourceNotFoundException"));
  EXPECT_THAT(scans_, IsEmpty());
}

TEST_F(TableSourceTest, UnreportedCostUnknown) {
  scan_answer_ = http::answer(R"({"Items":[],"Count":0})");
  EXPECT_EQ(tried(*describe()), std::nullopt);
}

// One item of the whole table, with the run's own expressions.
TEST_F(TableSourceTest, TriesReadingFirst) {
  settings_.scan.filter_expression = "a = :a";
  settings_.scan.attribute_values = R"({":a":{"S":"x"}})";
  const auto source = describe();
  EXPECT_EQ(tried(*source), 1.5);
  ASSERT_EQ(scans_.size(), 1U);
  EXPECT_EQ(scans_[0].at("Limit"), 1);
  EXPECT_EQ(scans_[0].at("TotalSegments"), 1);
  EXPECT_EQ(scans_[0].at("Segment"), 0);
  EXPECT_EQ(scans_[0].at("FilterExpression"), "a = :a");
  EXPECT_FALSE(scans_[0].contains("ExclusiveStartKey"));
}

TEST_F(TableSourceTest, WrongExpressionIsUsers) {
  const auto source = describe();
  scan_answer_ = table_refusal("ValidationException", "Invalid FilterExpression: Syntax error");
  try {
    tried(*source);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("Syntax error"));
  }
  scan_answer_ = table_refusal("AccessDeniedException");
  try {
    tried(*source);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
  }
}

TEST_F(TableSourceTest, ConsistentReadsCostTwice) {
  const auto source = describe();
  EXPECT_EQ(source->bytes_per_read_unit(), 8192);
  EXPECT_EQ(source->max_page_units(), 128);
  settings_.scan.consistent_read = true;
  const auto consistent = describe();
  EXPECT_EQ(consistent->bytes_per_read_unit(), 4096);
  EXPECT_EQ(consistent->max_page_units(), 256);
}

}  // namespace
}  // namespace everyitem::run
