// The stream of the fault server, given aggregated records.
#include "emulator/emulated_stream_fixture.h"
#include "emulator/test_aggregated_record.h"

namespace everyitem::emulator {
namespace {

namespace json = boost::json;

/// Of a stream of two shards, the first hash key of the second: 2^127.
constexpr std::string_view kMiddle = "170141183460469231731687303715884105728";

class EmulatedStreamOfAggregatedRecords : public EmulatedStream {
 protected:
  /// These items as one record's message, all with one partition key.
  std::string message_of(const std::vector<std::uint64_t>& items, std::string_view partition_key) {
    std::string message = bytes_field(1, partition_key);
    for (const std::uint64_t item : items) {
      message += bytes_field(3, number_field(1, 0) + bytes_field(3, item_of(item)));
    }
    return message;
  }

  /// The answer to records that go by their partition key, `a` unless it is said.
  json::value put_data(const std::vector<std::string>& records,
                       std::string_view partition_key = "a",
                       std::string_view explicit_hash_key = "") {
    std::string body;
    for (const std::string& data : records) {
      std::string encoded(batch::base64_size(data.size()), '?');
      batch::encode_base64(data, encoded.data());
      body += fmt::format(R"({}{{"Data":"{}","PartitionKey":"{}")", body.empty() ? "" : ",",
                          encoded, partition_key);
      body += explicit_hash_key.empty()
                  ? "}"
                  : fmt::format(R"(,"ExplicitHashKey":"{}"}})", explicit_hash_key);
    }
    return ask("PutRecords", fmt::format(R"({{"StreamName":"s","Records":[{}]}})", body));
  }

  const AggregatedCounts& aggregated_counts() { return services().counts().aggregated; }
  const ReceivedCounts& received() { return services().received().counts(); }
};

TEST_F(EmulatedStreamOfAggregatedRecords, EachRecordIsItem) {
  start({.items = 6}, {.shards = 2});
  const json::value answer =
      put_data({aggregated(message_of({0, 1, 2}, "a")), item_of(3),
                aggregated(message_of({4}, "a")), aggregated(message_of({2, 5}, "a"))});
  EXPECT_EQ(answer.at("FailedRecordCount").as_int64(), 0);
  EXPECT_EQ(answer.at("Records").as_array().size(), 4U);
  EXPECT_EQ(services().received().missing(), 0U);
  EXPECT_EQ(received().duplicates, 1U);
  EXPECT_EQ(aggregated_counts().records, 3U);
  EXPECT_EQ(aggregated_counts().out_of_range, 0U);
  EXPECT_EQ(aggregated_counts().malformed, 0U);
}

TEST_F(EmulatedStreamOfAggregatedRecords, ContentMatchesTable) {
  start({.items = 2}, {.shards = 1});
  std::string altered = item_of(0);
  altered[altered.size() - 5] ^= 1;
  std::string message = message_of({}, "a");
  for (const std::string& data : {altered, std::string("no item")}) {
    message += bytes_field(3, number_field(1, 0) + bytes_field(3, data));
  }
  put_data({aggregated(message)});
  EXPECT_EQ(received().altered, 1U);
  EXPECT_EQ(received().unknown, 1U);
  EXPECT_EQ(received().distinct, 0U);
}

// The MD5 of `a` belongs to the first of two shards, that of `b` to the second.
TEST_F(EmulatedStreamOfAggregatedRecords, ForeignShardFailsAll) {
  start({.items = 3}, {.shards = 2});
  const std::string stray =
      bytes_field(1, "b") + bytes_field(3, number_field(1, 1) + bytes_field(3, item_of(2)));
  const json::value answer = put_data({aggregated(message_of({0, 1}, "a") + stray)});
  EXPECT_EQ(answer.at("FailedRecordCount").as_int64(), 0) << "the stream itself does not look";
  EXPECT_EQ(received().distinct, 0U);
  EXPECT_EQ(received().unknown, 0U);
  EXPECT_EQ(aggregated_counts().records, 1U);
  EXPECT_EQ(aggregated_counts().out_of_range, 1U);
  put_data({aggregated(message_of({0, 1, 2}, "b"))});
  EXPECT_EQ(aggregated_counts().out_of_range, 2U) << "not where its own key leads to";
  put_data({aggregated(message_of({0, 1, 2}, "b"))}, "a", kMiddle);
  EXPECT_EQ(services().received().missing(), 0U);
  EXPECT_EQ(aggregated_counts().out_of_range, 2U);
}

TEST_F(EmulatedStreamOfAggregatedRecords, ExplicitHashKeyFirst) {
  start({.items = 3}, {.shards = 2});
  const auto of_hash_keys = [&](std::uint64_t first, std::uint64_t second) {
    return aggregated(
        bytes_field(1, "a") + bytes_field(2, "0") + bytes_field(2, kMiddle) +
        bytes_field(3, number_field(1, 0) + number_field(2, first) + bytes_field(3, item_of(0))) +
        bytes_field(3, number_field(1, 0) + number_field(2, second) + bytes_field(3, item_of(1))));
  };
  put_data({of_hash_keys(0, 1)});
  put_data({of_hash_keys(1, 0)}, "b");
  put_data({of_hash_keys(1, 1)});
  EXPECT_EQ(aggregated_counts().out_of_range, 3U);
  EXPECT_EQ(received().distinct, 0U);
  put_data({of_hash_keys(1, 1)}, "b");
  EXPECT_EQ(received().distinct, 2U);
  put_data({of_hash_keys(0, 0)}, "b", "1");
  EXPECT_EQ(received().duplicates, 2U);
  EXPECT_EQ(aggregated_counts().out_of_range, 3U);
}

TEST_F(EmulatedStreamOfAggregatedRecords, SplitShardsRecord) {
  start({.items = 2}, {.shards = 1, .split_at = 1});
  const std::string record =
      aggregated(message_of({0}, "a") + bytes_field(1, "b") +
                 bytes_field(3, number_field(1, 1) + bytes_field(3, item_of(1))));
  put_data({record});
  EXPECT_EQ(received().distinct, 2U);
  put_data({record});
  EXPECT_EQ(aggregated_counts().out_of_range, 1U);
  EXPECT_EQ(received().duplicates, 0U);
}

TEST_F(EmulatedStreamOfAggregatedRecords, MalformedAreCounted) {
  start({.items = 2}, {.shards = 1});
  std::string wrong = aggregated(message_of({0, 1}, "a"));
  wrong.back() ^= 1;
  put_data({wrong, aggregated("")});
  EXPECT_EQ(aggregated_counts().records, 2U);
  EXPECT_EQ(aggregated_counts().malformed, 2U);
  EXPECT_EQ(aggregated_counts().first_error, "its MD5 is wrong");
  EXPECT_EQ(received().distinct, 0U);
  EXPECT_EQ(received().unknown, 0U);
}

TEST_F(EmulatedStreamOfAggregatedRecords, RefusedItemFailsRecord) {
  start({.items = 20}, {.shards = 1, .refused_every = 10, .refusal = Refusal::entry});
  const json::value answer =
      put_data({aggregated(message_of({7, 8, 9}, "a")), aggregated(message_of({11, 10}, "a"))});
  EXPECT_EQ(answer.at("FailedRecordCount").as_int64(), 1);
  EXPECT_EQ(answer.at("Records").at(1).at("ErrorCode"), "InvalidArgumentException");
  EXPECT_EQ(received().distinct, 3U);
  EXPECT_FALSE(services().received().has(11));
  EXPECT_TRUE(services().can_be_taken(11)) << "without the other";
  EXPECT_EQ(aggregated_counts().records, 1U) << "those that were taken";
}

TEST_F(EmulatedStreamOfAggregatedRecords, WholeRequestRefused) {
  start({.items = 20}, {.shards = 1, .refused_every = 10, .refusal = Refusal::request});
  const json::value answer =
      put_data({aggregated(message_of({7, 8, 9}, "a")), aggregated(message_of({11, 10}, "a"))});
  EXPECT_TRUE(std::string_view(answer.at("__type").as_string()).ends_with("#ValidationException"));
  EXPECT_EQ(received().distinct, 0U);
  EXPECT_EQ(put_data({aggregated(message_of({7, 8, 9}, "a"))}).at("FailedRecordCount").as_int64(),
            0);
}

}  // namespace
}  // namespace everyitem::emulator
