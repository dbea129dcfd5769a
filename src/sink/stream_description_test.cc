#include "sink/stream_description.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/test_cbor.h"

namespace everyitem::sink {
namespace {

std::string summary(std::string_view status, std::string_view more = "") {
  return R"({"StreamDescriptionSummary":{"StreamName":"s","StreamStatus":")" + std::string(status) +
         R"(","StreamARN":"arn:aws:kinesis:eu-west-1:1:stream/s","OpenShardCount":4)" +
         std::string(more) + "}}";
}

TEST(StreamDescription, DefaultLimits) {
  const auto stream = parse_stream_description(summary("ACTIVE"), Wire::json, "s");
  EXPECT_EQ(stream.arn, "arn:aws:kinesis:eu-west-1:1:stream/s");
  EXPECT_EQ(stream.open_shards, 4U);
  EXPECT_EQ(stream.created, "");
  EXPECT_EQ(stream.limits.records, 500U);
  EXPECT_EQ(stream.limits.record_bytes, 1U << 20);
  EXPECT_EQ(stream.limits.request_bytes, 5U << 20);
}

TEST(StreamDescription, LargeRecordLimit) {
  const auto stream = parse_stream_description(
      summary("UPDATING", R"(,"MaxRecordSizeInKiB":10240,"StreamCreationTimestamp":1.7e9)"),
      Wire::json, "s");
  EXPECT_EQ(stream.created, "1700000000.000");
  EXPECT_EQ(stream.limits.record_bytes, 10U << 20);
  EXPECT_EQ(stream.limits.request_bytes, 10U << 20);
}

TEST(StreamDescription, RetentionOfRecords) {
  const auto kept = [](std::string_view hours) {
    const std::string member = fmt::format(R"(,"RetentionPeriodHours":{})", hours);
    return parse_stream_description(summary("ACTIVE", member), Wire::json, "s").retention;
  };
  EXPECT_EQ(kept("24"), std::chrono::hours(24));
  EXPECT_EQ(kept("8760"), std::chrono::hours(8760));
  for (const std::string_view hours : {"0", "8761", "null"}) {
    EXPECT_FALSE(kept(hours)) << hours;
  }
}

TEST(StreamDescription, KnownModes) {
  const auto mode = [](std::string_view details) {
    const std::string member = fmt::format(R"(,"StreamModeDetails":{})", details);
    return parse_stream_description(summary("ACTIVE", member), Wire::json, "s").mode;
  };
  EXPECT_EQ(mode(R"({"StreamMode":"PROVISIONED"})"), StreamMode::provisioned);
  EXPECT_EQ(mode(R"({"StreamMode":"ON_DEMAND"})"), StreamMode::on_demand);
  for (const std::string_view details : {R"({"StreamMode":"ANOTHER"})", "{}", "null", "7"}) {
    EXPECT_EQ(mode(details), StreamMode::unknown) << details;
  }
  EXPECT_EQ(parse_stream_description(summary("ACTIVE"), Wire::json, "s").mode, StreamMode::unknown);
}

TEST(StreamDescription, SameInCbor) {
  // In CBOR, AWS's times are milliseconds.
  const std::string body =
      to_cbor(boost::json::parse(summary("ACTIVE", R"(,"StreamCreationTimestamp":1700000000123)")));
  const auto stream = parse_stream_description(body, Wire::cbor, "s");
  EXPECT_EQ(stream.arn, "arn:aws:kinesis:eu-west-1:1:stream/s");
  EXPECT_EQ(stream.created, "1700000000.123");
  EXPECT_FALSE(stream.nonstandard_cbor);
  EXPECT_EQ(parse_stream_description(
                summary("ACTIVE", R"(,"StreamCreationTimestamp":1700000000.123)"), Wire::json, "s")
                .created,
            stream.created);
  EXPECT_THROW(parse_stream_description(body.substr(1), Wire::cbor, "s"), aws::MalformedResponse);
}

// Kinesalite 3.3.3 answers in CBOR, but its times are seconds, and longer answers are cut off.
TEST(StreamDescription, NonstandardCbor) {
  const auto times = [](std::string_view created) {
    const auto document = boost::json::parse(summary("ACTIVE", created));
    return parse_stream_description(to_cbor(document), Wire::cbor, "s");
  };
  EXPECT_TRUE(times(R"(,"StreamCreationTimestamp":1700000000)").nonstandard_cbor);
  EXPECT_EQ(times(R"(,"StreamCreationTimestamp":1700000000)").created, "1700000000.000");
  EXPECT_FALSE(times("").nonstandard_cbor);
}

TEST(StreamDescription, RecordFitsIntoRequest) {
  for (const std::string kib : {"10241", "18014398509481985", "18446744073709551615"}) {
    const auto stream = parse_stream_description(
        summary("ACTIVE", R"(,"MaxRecordSizeInKiB":)" + kib), Wire::json, "s");
    EXPECT_EQ(stream.limits.record_bytes, 10U << 20) << kib;
    EXPECT_EQ(stream.limits.request_bytes, 10U << 20) << kib;
  }
}

TEST(StreamDescription, DeletingStreamIsRefused) {
  try {
    parse_stream_description(summary("DELETING"), Wire::json, "s");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "DescribeStreamSummary on stream s: the stream is DELETING, not ACTIVE");
  }
}

TEST(StreamDescription, CreatingStreamNotReady) {
  EXPECT_THROW(parse_stream_description(summary("CREATING"), Wire::json, "s"), aws::NotReady);
}

TEST(StreamDescription, ImpossibleShardsAreMalformed) {
  for (const char* shards : {"100001", "50000000", "18446744073709551615"}) {
    const std::string body = fmt::format(
        R"({{"StreamDescriptionSummary":{{"StreamStatus":"ACTIVE","OpenShardCount":{}}}}})",
        shards);
    EXPECT_THROW(parse_stream_description(body, Wire::json, "s"), aws::MalformedResponse) << shards;
  }
}

TEST(StreamDescription, MalformedDescriptions) {
  for (const std::string_view body : {"", "{}", "[]", R"({"StreamDescriptionSummary":7})"}) {
    EXPECT_THROW(parse_stream_description(body, Wire::json, "s"), aws::MalformedResponse) << body;
  }
}

}  // namespace
}  // namespace everyitem::sink
