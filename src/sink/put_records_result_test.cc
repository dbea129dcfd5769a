#include "sink/put_records_result.h"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "aws/client.h"
#include "support/test_cbor.h"

namespace everyitem::sink {
namespace {

/// A result as text, for comparison.
std::string told(const PutRecordsResult& result) {
  std::string text = fmt::format("{} {} {} {}", result.code, result.message, result.only_throttled,
                                 result.only_retryable);
  for (const InvalidRecord& record : result.invalid) {
    text += fmt::format(" invalid {}: {} {}", record.index, record.code, record.message);
  }
  return text + fmt::format(" failed {}", fmt::join(result.failed, ","));
}

/// Reads the answer in JSON, and the same one in CBOR, which must say the same.
PutRecordsResult parse(std::string_view json, std::size_t sent) {
  boost::system::error_code not_json;
  const auto document = boost::json::parse(json, not_json);
  std::vector<std::string> in_cbor;
  for (const auto lengths : {CborLengths::definite, CborLengths::indefinite}) {
    if (!not_json) {
      in_cbor.push_back(to_cbor(document, lengths));
    }
  }
  try {
    PutRecordsResult result = parse_put_records_result(PaddedBuffer(json), sent, Wire::json);
    for (const std::string& bytes : in_cbor) {
      EXPECT_EQ(told(parse_put_records_result(PaddedBuffer(bytes), sent, Wire::cbor)), told(result))
          << json;
    }
    return result;
  } catch (const aws::MalformedResponse&) {
    for (const std::string& bytes : in_cbor) {
      EXPECT_THROW(parse_put_records_result(PaddedBuffer(bytes), sent, Wire::cbor),
                   aws::MalformedResponse)
          << json;
    }
    throw;
  }
}

TEST(PutRecordsResult, AllAccepted) {
  const auto result =
      parse(R"({"FailedRecordCount":0,"EncryptionType":"NONE","Records":[)"
            R"({"SequenceNumber":"1","ShardId":"s"},{"ShardId":"s","SequenceNumber":"2"}]})",
            2);
  EXPECT_TRUE(result.failed.empty());
}

TEST(PutRecordsResult, ShardsOfAcceptedRecords) {
  const std::string json =
      R"({"Records":[{"SequenceNumber":"1","ShardId":"shardId-000000000001","ErrorCode":null},)"
      R"({"ErrorCode":"InternalFailure","ShardId":"s"},{"ShardId":null,"SequenceNumber":"2"},)"
      R"({"ShardId":"s","SequenceNumber":"3"}]})";
  const auto document = boost::json::parse(json);
  for (const auto& [body, wire] : std::vector<std::pair<std::string, Wire>>{
           {json, Wire::json},
           {to_cbor(document), Wire::cbor},
           {to_cbor(document, CborLengths::indefinite), Wire::cbor}}) {
    std::string told;
    parse_put_records_result(PaddedBuffer(body), 4, wire,
                             [&](std::uint32_t index, std::string_view shard) {
                               told += fmt::format("{}:{} ", index, shard);
                             });
    EXPECT_EQ(told, "0:shardId-000000000001 3:s ");
  }
}

TEST(PutRecordsResult, IndexesOfFailedRecords) {
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

TEST(PutRecordsResult, WorstFailureIsReported) {
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

TEST(PutRecordsResult, InvalidIsNotFailed) {
  const auto result =
      parse(R"({"FailedRecordCount":2,"Records":[{"SequenceNumber":"1"},)"
            R"({"ErrorCode":"InvalidArgumentException","ErrorMessage":"too large"},)"
            R"({"ErrorCode":"ProvisionedThroughputExceededException"}]})",
            3);
  ASSERT_EQ(result.invalid.size(), 1U);
  EXPECT_EQ(result.invalid[0].index, 1U);
  EXPECT_EQ(result.invalid[0].code, "InvalidArgumentException");
  EXPECT_EQ(result.invalid[0].message, "too large");
  EXPECT_EQ(result.failed, (std::vector<std::uint32_t>{2}));
  EXPECT_TRUE(result.only_throttled);
}

TEST(PutRecordsResult, StreamErrorIsFinal) {
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

TEST(PutRecordsResult, NoSequenceNumberFails) {
  for (const std::string_view entry :
       {R"({"ShardId":"s"})", R"({"ShardId":"s","SequenceNumber":""})",
        R"({"ShardId":"s","SequenceNumber":1})", R"({"ShardId":"s","SequenceNumber":null})"}) {
    SCOPED_TRACE(entry);
    const auto result = parse(
        fmt::format(R"({{"Records":[{{"SequenceNumber":"1","ShardId":"s"}},{}]}})", entry), 2);
    EXPECT_EQ(result.failed, std::vector<std::uint32_t>{1});
    EXPECT_TRUE(result.only_retryable);
    EXPECT_FALSE(result.only_throttled);
  }
}

/// The entries before it are accepted, so that CBOR's is compared with them.
TEST(PutRecordsResult, CodeOverridesSequenceNumber) {
  for (const std::string_view order :
       {R"("SequenceNumber":"3","ShardId":"s","ErrorCode":"{}","ErrorMessage":"no")",
        R"("ErrorCode":"{}","ErrorMessage":"no","SequenceNumber":"3","ShardId":"s")"}) {
    const auto answer = [&](std::string_view code) {
      return parse(fmt::format(R"({{"FailedRecordCount":1,"Records":[)"
                               R"({{"SequenceNumber":"1","ShardId":"s"}},)"
                               R"({{"SequenceNumber":"2","ShardId":"s"}},{{{}}}]}})",
                               fmt::format(fmt::runtime(order), code)),
                   3);
    };
    EXPECT_EQ(answer("InternalFailure").failed, (std::vector<std::uint32_t>{2}));
    EXPECT_EQ(answer("not a code").failed, (std::vector<std::uint32_t>{2}));
    const auto result = answer("InvalidArgumentException");
    ASSERT_EQ(result.invalid.size(), 1U);
    EXPECT_EQ(result.invalid[0].index, 2U);
  }
}

TEST(PutRecordsResult, MalformedAnswers) {
  constexpr std::string_view kAccepted = R"({"SequenceNumber":"1","ShardId":"s"})";
  const std::string one =
      std::string(R"({"FailedRecordCount":0,"Records":[)") + std::string(kAccepted) + "]}";
  EXPECT_THROW(parse(one, 2), aws::MalformedResponse);
  EXPECT_THROW(parse(one, 0), aws::MalformedResponse);
  EXPECT_THROW(parse(R"({"FailedRecordCount":1,"Records":[{"SequenceNumber":"1"}]})", 1),
               aws::MalformedResponse);
  for (const std::string_view json : {"", "{}", "[]", "{\"Records\":7}", "{\"Records\":[7]}",
                                      "{\"Records\":[{\"SequenceNumber\":\"1\"}"}) {
    EXPECT_THROW(parse(json, 1), aws::MalformedResponse) << json;
  }
  const std::string cbor = to_cbor(boost::json::parse(one));
  const auto parse_cbor = [](const std::string& bytes) {
    return parse_put_records_result(PaddedBuffer(bytes), 1, Wire::cbor);
  };
  EXPECT_TRUE(parse_cbor(cbor).failed.empty());
  EXPECT_THROW(parse_cbor(cbor + cbor), aws::MalformedResponse);
  for (std::size_t size = 0; size < cbor.size(); ++size) {
    EXPECT_THROW(parse_cbor(cbor.substr(0, size)), aws::MalformedResponse) << size;
  }
}

}  // namespace
}  // namespace everyitem::sink
