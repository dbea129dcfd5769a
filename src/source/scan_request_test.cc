#include "source/scan_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::source {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ScanRequests, PlainScanFirstPage) {
  const ScanRequests requests({.table = "orders"}, 4);
  EXPECT_EQ(requests.page(3, nullptr, std::nullopt),
            R"({"TableName":"orders","ReturnConsumedCapacity":"TOTAL","TotalSegments":4,)"
            R"("Segment":3})");
}

TEST(ScanRequests, LaterPageStartKey) {
  const ScanRequests requests({.table = "orders"}, 1);
  const auto start = StartKey::parse(R"({"pk":{"N":"1.50"}})", {"pk"});
  EXPECT_EQ(requests.page(0, &*start, 10),
            R"({"TableName":"orders","ReturnConsumedCapacity":"TOTAL","TotalSegments":1,)"
            R"("Segment":0,"Limit":10,"ExclusiveStartKey":{"pk":{"N":"1.50"}}})");
}

TEST(ScanRequests, ScanSettingsPassThrough) {
  const ScanRequests requests({.table = "t",
                               .index = "by-date",
                               .consistent_read = true,
                               .filter_expression = "#s = :s AND a = \"x\"",
                               .projection_expression = "#s",
                               .attribute_names = R"({"#s":"status"})",
                               .attribute_values = R"({":s":{"S":"open"}})"},
                              2);
  EXPECT_EQ(requests.page(1, nullptr, std::nullopt),
            R"({"TableName":"t","ReturnConsumedCapacity":"TOTAL","IndexName":"by-date",)"
            R"("ConsistentRead":true,"FilterExpression":"#s = :s AND a = \"x\"",)"
            R"("ProjectionExpression":"#s","ExpressionAttributeNames":{"#s":"status"},)"
            R"("ExpressionAttributeValues":{":s":{"S":"open"}},"TotalSegments":2,"Segment":1})");
}

TEST(ScanRequests, ValuesAtAnyDepth) {
  const ScanRequests requests(
      {.table = "t",
       .attribute_values = R"({":a":{"SS":["x","y"]},":b":{"L":[{"M":{"name":{"N":"1.5"}}},)"
                           R"({"BOOL":true}]}})"},
      1);
  EXPECT_THAT(requests.values(), testing::ElementsAre("x", "y", "1.5"));
}

TEST(ScanParameters, NamesAndValuesChecked) {
  for (const std::string text : {"x", "{", "[]", "{}", R"({"s":"status"})", R"({"#s":7})"}) {
    EXPECT_THAT(message_of([&] { validate({.table = "t", .attribute_names = text}); }),
                HasSubstr("--names is not the JSON object"))
        << text;
  }
  for (const std::string text :
       {"x", "{", "[]", "{}", R"({"s":{"S":"x"}})", R"({":s":"x"})", R"({":s":{}})",
        R"({":s":{"X":"x"}})", R"({":s":{"S":"x","N":"1"}})"}) {
    EXPECT_THAT(message_of([&] { validate({.table = "t", .attribute_values = text}); }),
                HasSubstr("--values is not the JSON object"))
        << text;
  }
  const auto fault = [](const std::string& values) {
    return message_of([&] { validate({.table = "t", .attribute_values = values}); });
  };
  EXPECT_THAT(fault(R"({":s": open})"), HasSubstr("it is not JSON at character 8. Example: "));
  EXPECT_THAT(fault(R"({":s": {"S": "open")"), HasSubstr("it ends too early"));
  EXPECT_THAT(fault(R"({":s": {"S": "open"}} x)"), HasSubstr("it is not JSON at character 23"));
  EXPECT_THAT(fault(R"({":s": "secret"})"),
              AllOf(HasSubstr("\":s\" has no type (S, N, B, BOOL, ...). "
                              "Example: --values '{\":s\": {\"S\": \"open\"}}'"),
                    Not(HasSubstr("secret"))));
  EXPECT_THAT(fault(R"({"s": {"S": "open"}})"), HasSubstr("\"s\" does not begin with :"));
  EXPECT_NO_THROW(validate({.table = "t",
                            .filter_expression = "#a = :v",
                            .attribute_names = R"({"#a":"a.b"})",
                            .attribute_values = R"({":v":{"NULL":true}})"}));
}

}  // namespace
}  // namespace everyitem::source
