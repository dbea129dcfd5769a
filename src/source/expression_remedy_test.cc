#include "source/expression_remedy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::source {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string refusal_of_filter(const std::string& filter, const std::string& values = "") {
  return message_of(
      [&] { require_no_literals({.filter_expression = filter, .attribute_values = values}); });
}

TEST(ExpressionRemedy, ValuesBecomePlaceholders) {
  struct Case {
    std::string filter;
    std::string written;
  };
  for (const Case& one : std::vector<Case>{
           {"status = 'open'", R"(--filter 'status = :open' --values '{":open": {"S":"open"}}')"},
           {R"(a="x y")", R"(--filter a=:x_y --values '{":x_y": {"S":"x y"}}')"},
           {"price > -5.5", R"(--filter 'price > :_5_5' --values '{":_5_5": {"N":"-5.5"}}')"},
           {"a = TRUE AND b = null", R"(--filter 'a = :TRUE AND b = :null' --values )"
                                     R"('{":TRUE": {"BOOL":true}, ":null": {"NULL":true}}')"},
           {"a IN (1, 1, '1')",
            R"(--filter 'a IN (:1, :1, :11)' --values '{":1": {"N":"1"}, ":11": {"S":"1"}}')"},
           {"list[0].x = :x AND y = 'x'",
            R"(--filter 'list[0].x = :x AND y = :x1', and add to --values: ":x1": {"S":"x"})"},
           {"a = 'it", R"(--filter 'a = :it' --values '{":it": {"S":"it"}}')"},
           {"a = ''", R"(--filter 'a = :v1' --values '{":v1": {"S":""}}')"},
           {"a = '' AND b = 1",
            R"(--filter 'a = :v1 AND b = :1' --values '{":v1": {"S":""}, ":1": {"N":"1"}}')"},
       }) {
    const std::string values =
        one.filter.find(":x") == std::string::npos ? "" : R"({":x": {"S": "secret"}})";
    EXPECT_THAT(refusal_of_filter(one.filter, values),
                AllOf(HasSubstr("--filter has a value in it"), EndsWith("Write: " + one.written),
                      Not(HasSubstr("secret"))));
  }
}

TEST(ExpressionRemedy, ExpressionsWithoutValuesPass) {
  for (const char* filter :
       {"", "#s = :s", "a.b[10].c <> :v AND NOT contains(#x.y, :w)", "size(a1) >= :1",
        "nullable = :true AND truest BETWEEN :a AND :b", "a IN (:a,:b)", "a-1 = :x", "2nd = :x"}) {
    EXPECT_EQ(refusal_of_filter(filter), "") << filter;
  }
}

TEST(ExpressionRemedy, ProjectionWithoutQuotes) {
  EXPECT_EQ(message_of([] { require_no_literals({.projection_expression = "id, 'a', \"b\""}); }),
            "--projection has quotes in it, which DynamoDB does not take. Write: --projection 'id, "
            "a, b'");
  EXPECT_NO_THROW(require_no_literals({.projection_expression = "id, a[0], b.c"}));
}

std::string refused(const std::string& message, const ScanParameters& parameters) {
  const Error error = refused_parameters(Error(ErrorKind::failed, {.operation = "Scan",
                                                                   .object = "table t",
                                                                   .code = "ValidationException",
                                                                   .message = message}),
                                         parameters);
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.what(), HasSubstr("Scan on table t: ValidationException: " + message));
  return error.what();
}

TEST(ExpressionRemedy, ReservedWordsBecomeNames) {
  const std::string message =
      "Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: status";
  EXPECT_THAT(refused(message, {.filter_expression = "status = :s AND a.status = status_2"}),
              EndsWith(R"(. Write: --filter '#status = :s AND a.#status = status_2' --names )"
                       R"('{"#status": "status"}')"));
  EXPECT_THAT(refused(message, {.filter_expression = "status = #status",
                                .attribute_names = R"({"#status": "x"})"}),
              EndsWith(R"(Write: --filter '#status1 = #status', and add to --names: )"
                       R"("#status1": "status")"));
  EXPECT_THAT(refused("Invalid ProjectionExpression: Attribute name is a reserved keyword; "
                      "reserved keyword: name",
                      {.projection_expression = "id, name"}),
              EndsWith(R"(Write: --projection 'id, #name' --names '{"#name": "name"}')"));
}

TEST(ExpressionRemedy, OddNamesBecomePlaceholders) {
  EXPECT_THAT(refused("Invalid FilterExpression: Syntax error; token: \"-\", near: \"order-id\"",
                      {.filter_expression = "order-id = :id AND 2nd = :x AND #a-b = :c"}),
              EndsWith(R"(Write: --filter '#order_id = :id AND #2nd = :x AND #a-b = :c' --names )"
                       R"('{"#order_id": "order-id", "#2nd": "2nd"}')"));
}

TEST(ExpressionRemedy, OtherFaultsNameSetting) {
  const ScanParameters plain{.filter_expression = "size(", .projection_expression = "id,,id"};
  EXPECT_THAT(refused("Invalid FilterExpression: Syntax error; token: <EOF>", plain),
              EndsWith(". Correct --filter."));
  EXPECT_THAT(refused("Invalid ProjectionExpression: Syntax error; token: \",\"", plain),
              EndsWith("Correct --projection."));
  EXPECT_THAT(refused("ExpressionAttributeValues contains invalid value: x", plain),
              EndsWith("Correct --values."));
  EXPECT_THAT(refused("The table does not have the specified index: x", plain),
              EndsWith("Correct --index."));
  EXPECT_THAT(refused("Something else", plain), EndsWith(": Something else"));
}

}  // namespace
}  // namespace everyitem::source
