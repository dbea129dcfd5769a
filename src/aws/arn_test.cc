#include "aws/arn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"

namespace everyitem::aws {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kTableArn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders";
constexpr const char* kStreamArn = "arn:aws:kinesis:eu-west-1:123456789012:stream/backfill";

TEST(ParseArn, SplitsIntoSixParts) {
  EXPECT_EQ(parse_arn("arn:aws-cn:lambda:cn-north-1:123456789012:function:f:1", "x"),
            (Arn{.partition = "aws-cn",
                 .service = "lambda",
                 .region = "cn-north-1",
                 .account = "123456789012",
                 .resource = "function:f:1"}));
}

TEST(ParseArn, EmptyRegionAndAccount) {
  const Arn arn = parse_arn("arn:aws:s3:::bucket", "x");
  EXPECT_EQ(arn.region, "");
  EXPECT_EQ(arn.account, "");
  EXPECT_EQ(arn.resource, "bucket");
}

TEST(ParseArn, MissingPartNamesSetting) {
  for (const char* text : {"", "orders", "arn:", "arn:aws:dynamodb:eu-west-1:table/orders",
                           "arn::dynamodb:eu-west-1:1:table/orders", "arn:aws::eu-west-1:1:t/x",
                           "arn:aws:dynamodb:eu-west-1:1:"}) {
    EXPECT_THAT(message_of([&] { parse_arn(text, "TABLE_ARN"); }),
                AllOf(HasSubstr("TABLE_ARN"), HasSubstr("\"" + std::string(text) + "\"")));
  }
}

TEST(ParseTable, TakesAName) {
  for (const std::string& name :
       {std::string("abc"), std::string("A_b.c-9"), std::string(255, 'x')}) {
    EXPECT_EQ(parse_table(name, "--table"), (ResourceName{.name = name, .arn = {}, .region = {}}));
  }
}

TEST(ParseTable, TakesArnWithRegion) {
  EXPECT_EQ(parse_table(kTableArn, "--table"),
            (ResourceName{.name = "orders", .arn = kTableArn, .region = "eu-west-1"}));
}

TEST(ParseStream, TakesAName) {
  for (const std::string& name :
       {std::string("s"), std::string("A_b.c-9"), std::string(128, 'x')}) {
    EXPECT_EQ(parse_stream(name, "--stream"),
              (ResourceName{.name = name, .arn = {}, .region = {}}));
  }
}

TEST(ParseStream, TakesArnWithRegion) {
  EXPECT_EQ(parse_stream(kStreamArn, "--stream"),
            (ResourceName{.name = "backfill", .arn = kStreamArn, .region = "eu-west-1"}));
}

TEST(ParseTable, RefusesOthersNamesWanted) {
  const std::string table = kTableArn;
  const struct {
    std::string value;
    const char* fault;
  } cases[] = {
      {"", "not a table's name"},
      {"ab", "not a table's name"},
      {std::string(256, 'x'), "not a table's name"},
      {"my orders", "not a table's name"},
      {"orders/index/by-date", "not a table's name"},
      {kStreamArn, "an ARN of kinesis, not of dynamodb"},
      {table + "/stream/2026-01-01T00:00:00.000", "the ARN of a table's stream"},
      {table + "/index/by-date", "the ARN of a table's index"},
      {"arn:aws:dynamodb::123456789012:global-table/orders", "not the ARN of a table"},
      {"arn:aws:dynamodb::123456789012:table/orders", "the ARN has no region"},
      {"arn:aws:dynamodb:eu-west-1:123456789012:table/", "not a table's name"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(message_of([&] { parse_table(bad.value, "--table"); }),
                AllOf(HasSubstr("--table is \"" + bad.value + "\""), HasSubstr(bad.fault),
                      HasSubstr("arn:aws:dynamodb:REGION:ACCOUNT:table/NAME")));
  }
}

TEST(ParseStream, RefusesOthersNamesWanted) {
  const struct {
    std::string value;
    const char* fault;
  } cases[] = {
      {"", "not a stream's name"},
      {std::string(129, 'x'), "not a stream's name"},
      {kTableArn, "an ARN of dynamodb, not of kinesis"},
      {std::string(kTableArn) + "/stream/2026-01-01T00:00:00.000",
       "an ARN of dynamodb, not of kinesis"},
      {std::string(kStreamArn) + "/consumer/c:1", "the ARN of a stream's consumer"},
      {"arn:aws:firehose:eu-west-1:123456789012:deliverystream/x", "an ARN of firehose"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(message_of([&] { parse_stream(bad.value, "--stream"); }),
                AllOf(HasSubstr("--stream is \"" + bad.value + "\""), HasSubstr(bad.fault),
                      HasSubstr("arn:aws:kinesis:REGION:ACCOUNT:stream/NAME")));
  }
}

TEST(IsArn, LooksOnlyAtStart) {
  EXPECT_TRUE(is_arn("arn:"));
  EXPECT_FALSE(is_arn("arn"));
  EXPECT_FALSE(is_arn("orders"));
}

TEST(Arn, PlaceOfAResource) {
  EXPECT_EQ(place_of("arn:aws:dynamodb:eu-west-1:123456789012:table/orders", "us-east-1"),
            "eu-west-1, account 123456789012");
  EXPECT_EQ(place_of("", "us-east-1"), "us-east-1");
  EXPECT_EQ(place_of("arn:aws:dynamodb:::table/orders", "us-east-1"), "us-east-1");
  EXPECT_EQ(account_of("arn:aws:dynamodb:eu-west-1:123456789012:table/orders"), "123456789012");
  EXPECT_EQ(account_of(""), "");
}

}  // namespace
}  // namespace everyitem::aws
