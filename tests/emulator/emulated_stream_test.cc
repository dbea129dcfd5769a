// The stream of the fault server, asked without a network.
#include <map>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "emulator/emulated_stream_fixture.h"

namespace everyitem::emulator {
namespace {

namespace json = boost::json;

std::string text(const json::value& object, std::string_view name) {
  const json::value* value = object.as_object().if_contains(name);
  return value == nullptr ? "" : std::string(value->as_string());
}

std::vector<std::uint64_t> first_items(std::uint64_t count) {
  std::vector<std::uint64_t> items;
  for (std::uint64_t i = 0; i < count; ++i) {
    items.push_back(i);
  }
  return items;
}

TEST_F(EmulatedStream, RecordsKeepTheirShard) {
  start({.items = 200}, {.shards = 4});
  std::map<std::string, int> records_by_shard;
  const json::value first = put(first_items(200));
  const json::value second = put(first_items(200));
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string shard = text(first.at("Records").at(i), "ShardId");
    EXPECT_EQ(text(second.at("Records").at(i), "ShardId"), shard);
    ++records_by_shard[shard];
  }
  ASSERT_EQ(records_by_shard.size(), 4U);
  EXPECT_EQ(records_by_shard.begin()->first, "shardId-000000000000");
  for (const auto& [shard, records] : records_by_shard) {
    EXPECT_GT(records, 20) << shard;
  }
}

TEST_F(EmulatedStream, SplitMovesRecords) {
  start({.items = 100}, {.shards = 2, .split_at = 1});
  const auto describe = [&] {
    return ask("DescribeStreamSummary", R"({"StreamName":"s"})").at("StreamDescriptionSummary");
  };
  put({0});
  EXPECT_EQ(text(describe(), "StreamStatus"), "ACTIVE");
  const json::value answer = put(first_items(100));
  EXPECT_EQ(answer.at("FailedRecordCount").as_int64(), 0);
  std::set<std::string> shards;
  for (const json::value& record : answer.at("Records").as_array()) {
    shards.insert(text(record, "ShardId"));
  }
  EXPECT_EQ(shards, (std::set<std::string>{"shardId-000000000002", "shardId-000000000003",
                                           "shardId-000000000004", "shardId-000000000005"}));
  EXPECT_EQ(text(describe(), "StreamStatus"), "UPDATING");
  EXPECT_EQ(describe().at("OpenShardCount").as_int64(), 4);
  for (std::uint64_t call = 0; call < kUpdatingCalls; ++call) {
    put({0});
  }
  EXPECT_EQ(text(describe(), "StreamStatus"), "ACTIVE");
}

TEST_F(EmulatedStream, ListsClosedShards) {
  start({.items = 1}, {.shards = 2, .shards_per_page = 4, .split_at = 0});
  put({0});
  const json::value first = ask("ListShards", R"({"StreamName":"s"})");
  ASSERT_EQ(first.at("Shards").as_array().size(), 4U);
  EXPECT_TRUE(first.at("Shards")
                  .at(1)
                  .at("SequenceNumberRange")
                  .as_object()
                  .contains("EndingSequenceNumber"));
  const json::value& open = first.at("Shards").at(3);
  EXPECT_EQ(text(open, "ShardId"), "shardId-000000000003");
  EXPECT_FALSE(open.at("SequenceNumberRange").as_object().contains("EndingSequenceNumber"));
  EXPECT_EQ(text(open.at("HashKeyRange"), "StartingHashKey"),
            "85070591730234615865843651857942052864");  // 2^126
  const std::string token = text(first, "NextToken");
  const json::value second =
      ask("ListShards", fmt::format(R"({{"NextToken":"{}","MaxResults":1}})", token));
  ASSERT_EQ(second.at("Shards").as_array().size(), 1U);
  EXPECT_EQ(text(second.at("Shards").at(0), "ShardId"), "shardId-000000000004");
  const json::value third =
      ask("ListShards", fmt::format(R"({{"NextToken":"{}"}})", text(second, "NextToken")));
  EXPECT_EQ(third.at("Shards").as_array().size(), 1U);
  EXPECT_FALSE(third.as_object().contains("NextToken"));

  const std::string both = fmt::format(R"({{"StreamName":"s","NextToken":"{}"}})", token);
  EXPECT_TRUE(text(ask("ListShards", both), "__type").ends_with("#InvalidArgumentException"));
  EXPECT_TRUE(text(ask("ListShards", "{}"), "__type").ends_with("#InvalidArgumentException"));
  EXPECT_TRUE(text(ask("ListShards", R"({"NextToken":"99"})"), "__type")
                  .ends_with("#ExpiredNextTokenException"));
}

TEST_F(EmulatedStream, ReportsItsMode) {
  const auto told = [&](StreamMode mode) {
    start({.items = 1}, {.mode = mode});
    const json::value summary =
        ask("DescribeStreamSummary", R"({"StreamName":"s"})").at("StreamDescriptionSummary");
    const json::value* details = summary.as_object().if_contains("StreamModeDetails");
    return details == nullptr ? "" : text(*details, "StreamMode");
  };
  EXPECT_EQ(told(StreamMode::none), "");
  EXPECT_EQ(told(StreamMode::provisioned), "PROVISIONED");
  EXPECT_EQ(told(StreamMode::on_demand), "ON_DEMAND");
}

TEST_F(EmulatedStream, OverLimitIsThrottled) {
  start({.items = 100}, {.shards = 1, .shard_limits = {.records_per_second = 10}});
  const json::value answer = put(first_items(100));
  EXPECT_EQ(answer.at("FailedRecordCount").as_int64(), 90);
  EXPECT_EQ(text(answer.at("Records").at(9), "ShardId"), "shardId-000000000000");
  EXPECT_EQ(text(answer.at("Records").at(10), "ErrorCode"),
            "ProvisionedThroughputExceededException");
  EXPECT_EQ(services().received().counts().distinct, 10U);
  EXPECT_EQ(services().counts().records_throttled, 90U);
  EXPECT_EQ(services().undeliverable(), 0U);
}

TEST_F(EmulatedStream, RefusedRecordFailsAlone) {
  start({.items = 100}, {.refused_every = 10, .refusal = Refusal::entry});
  const json::value answer = put(first_items(100));
  EXPECT_EQ(answer.at("FailedRecordCount").as_int64(), 10);
  EXPECT_EQ(text(answer.at("Records").at(20), "ErrorCode"), "InvalidArgumentException");
  EXPECT_EQ(services().received().missing(), services().undeliverable());
}

TEST_F(EmulatedStream, OrItsWholeRequest) {
  start({.items = 100}, {.refused_every = 10, .refusal = Refusal::request});
  EXPECT_TRUE(text(put({7, 8, 9, 10}), "__type").ends_with("#ValidationException"));
  EXPECT_EQ(services().received().counts().distinct, 0U);
  EXPECT_EQ(put({7, 8, 9}).at("FailedRecordCount").as_int64(), 0);
}

TEST_F(EmulatedStream, ReportsUndeliverableItems) {
  start({.items = 100, .oversize_every = 6}, {.refused_every = 4});
  std::uint64_t undeliverable = 0;
  for (std::uint64_t item = 0; item < 100; ++item) {
    if (services().can_be_taken(item)) {
      put({item});
      EXPECT_TRUE(services().received().has(item));
    } else {
      ++undeliverable;
    }
  }
  EXPECT_EQ(services().undeliverable(), undeliverable);
  EXPECT_EQ(services().received().missing(), undeliverable);
  EXPECT_TRUE(text(put({6}), "__type").ends_with("#ValidationException"));
  EXPECT_EQ(services().counts().requests_over_limits, 1U);
}

TEST_F(EmulatedStream, SinkCountsUnsignedBytes) {
  start({.items = 1}, {});
  EXPECT_EQ(sink("no JSON"), "{}");
  EXPECT_EQ(sink(""), "{}");
  EXPECT_EQ(services().counts().sunk_bytes, 7U);
  EXPECT_EQ(services().counts().signatures_refused, 0U);
}

}  // namespace
}  // namespace everyitem::emulator
