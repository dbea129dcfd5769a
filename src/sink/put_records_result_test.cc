#include "sink/put_records_result.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/client.h"

namespace everyitem::sink {
namespace {

PutRecordsResult parse(std::string_view json, std::size_t sent) {
  return parse_put_records_result(PaddedBuffer(json), sent);
}

TEST(PutRecordsResult, AllTaken) {
  const auto result =
      parse(R"({"FailedRecordCount":0,"EncryptionType":"NONE","Records":[)"
            R"({"SequenceNumber":"1","ShardId":"s"},{"ShardId":"s","SequenceNumber":"2"}]})",
            2);
  EXPECT_TRUE(result.failed.empty());
}

TEST(PutRecordsResult, FailedOnesAreNamedByTheirPlace) {
  const auto result =
      parse(R"({"FailedRecordCount":2,"Records":[)"
            R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"slow"},)"
            R"({"SequenceNumber":"1","ShardId":"s"},)"
            R"({"ErrorCode":"InternalFailure","ErrorMessage":"oops"}]})",
            3);
  EXPECT_EQ(result.failed, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_FALSE(result.only_throttled);
  EXPECT_TRUE(result.only_retryable);
}

TEST(PutRecordsResult, TheFailureThatMattersMostIsTheOneThatIsTold) {
  const std::string throttled = R"({"ErrorCode":"ThrottlingException","ErrorMessage":"slow"})";
  const std::string failed = R"({"ErrorCode":"InternalFailure","ErrorMessage":"oops"})";
  const std::string failed_again = R"({"ErrorCode":"ServiceUnavailable","ErrorMessage":"later"})";
  const std::string refused = R"({"ErrorCode":"KMSDisabledException","ErrorMessage":"no"})";
  const auto told = [](const std::vector<std::string>& entries) {
    const auto result =
        parse(fmt::format(R"({{"Records":[{}]}})", fmt::join(entries, ",")), entries.size());
    return result.code + ": " + result.message;
  };
  EXPECT_EQ(told({throttled}), "ThrottlingException: slow");
  EXPECT_EQ(told({throttled, failed, failed_again}), "InternalFailure: oops");
  EXPECT_EQ(told({throttled, failed, refused, failed}), "KMSDisabledException: no");
  EXPECT_EQ(told({refused, failed, throttled}), "KMSDisabledException: no");
}

TEST(PutRecordsResult, OnlyThrottled) {
  const auto result =
      parse(R"({"Records":[{"ErrorCode":"ProvisionedThroughputExceededException"}]})", 1);
  EXPECT_TRUE(result.only_throttled);
}

TEST(PutRecordsResult, AnInvalidRecordStandsApart) {
  const auto result =
      parse(R"({"FailedRecordCount":2,"Records":[{"SequenceNumber":"1"},)"
            R"({"ErrorCode":"InvalidArgumentException","ErrorMessage":"too large"},)"
            R"({"ErrorCode":"ProvisionedThroughputExceededException"}]})",
            3);
  ASSERT_EQ(result.invalid.size(), 1U);
  EXPECT_EQ(result.invalid[0].place, 1U);
  EXPECT_EQ(result.invalid[0].code, "InvalidArgumentException");
  EXPECT_EQ(result.invalid[0].message, "too large");
  EXPECT_EQ(result.failed, (std::vector<std::uint32_t>{2}));
  EXPECT_TRUE(result.only_throttled);
}

TEST(PutRecordsResult, ARecordRefusedForTheStreamsSakeIsNotRetryable) {
  const auto result =
      parse(R"({"FailedRecordCount":1,"Records":[{"ErrorCode":"KMSDisabledException"}]})", 1);
  EXPECT_FALSE(result.only_retryable);
  EXPECT_TRUE(result.invalid.empty());
}

TEST(PutRecordsResult, NullMeansAbsent) {
  const auto result =
      parse(R"({"FailedRecordCount":null,"Records":[)"
            R"({"SequenceNumber":"1","ShardId":"s","ErrorCode":null,"ErrorMessage":null},)"
            R"({"SequenceNumber":null,"ErrorCode":"InternalFailure","ErrorMessage":null}]})",
            2);
  EXPECT_EQ(result.failed, (std::vector<std::uint32_t>{1}));
}

TEST(PutRecordsResult, AnEntryWithoutASequenceNumberWasNotTaken) {
  const auto result = parse(R"({"Records":[{"ShardId":"s"}]})", 1);
  EXPECT_EQ(result.failed.size(), 1U);
  EXPECT_TRUE(result.only_retryable);
  EXPECT_FALSE(result.only_throttled);
}

TEST(PutRecordsResult, WhatDoesNotAnswerEveryRecordIsMalformed) {
  constexpr std::string_view kTaken = R"({"SequenceNumber":"1","ShardId":"s"})";
  const std::string one =
      std::string(R"({"FailedRecordCount":0,"Records":[)") + std::string(kTaken) + "]}";
  EXPECT_THROW(parse(one, 2), aws::MalformedResponse);
  EXPECT_THROW(parse(one, 0), aws::MalformedResponse);
  EXPECT_THROW(parse(R"({"FailedRecordCount":1,"Records":[{"SequenceNumber":"1"}]})", 1),
               aws::MalformedResponse);
  for (const std::string_view json : {"", "{}", "[]", "{\"Records\":7}", "{\"Records\":[7]}",
                                      "{\"Records\":[{\"SequenceNumber\":\"1\"}"}) {
    EXPECT_THROW(parse(json, 1), aws::MalformedResponse) << json;
  }
}

}  // namespace
}  // namespace everyitem::sink
