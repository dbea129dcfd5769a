#include "sink/shard_list.h"

#include <chrono>
#include <optional>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/test_cbor.h"
#include "support/test_service.h"

namespace everyitem::sink {
namespace {

namespace json = boost::json;

constexpr batch::HashKey kHalf = batch::HashKey{1} << 127;

json::object shard(std::string_view id, batch::HashKey first, batch::HashKey last, bool closed) {
  json::object sequence{{"StartingSequenceNumber", "1"}};
  if (closed) {
    sequence["EndingSequenceNumber"] = "2";
  }
  return {{"ShardId", id},
          {"HashKeyRange",
           {{"StartingHashKey", batch::decimal(first)}, {"EndingHashKey", batch::decimal(last)}}},
          {"SequenceNumberRange", sequence}};
}

json::object split_stream() {
  return {
      {"Shards",
       {shard("parent", 0, batch::kLastHashKey, true),
        shard("upper", kHalf, batch::kLastHashKey, false), shard("lower", 0, kHalf - 1, false)}}};
}

TEST(ShardList, OpenShardsBothWires) {
  json::object answer = split_stream();
  answer["NextToken"] = "token";
  for (const Wire wire : {Wire::json, Wire::cbor}) {
    const std::string body = wire == Wire::json ? json::serialize(answer) : to_cbor(answer);
    const ShardPage page = parse_shard_page(body, wire);
    ASSERT_EQ(page.open.size(), 2U);
    EXPECT_TRUE((page.open[0] == batch::Shard{"upper", kHalf, batch::kLastHashKey}));
    EXPECT_TRUE((page.open[1] == batch::Shard{"lower", 0, kHalf - 1}));
    EXPECT_EQ(page.next_token, "token");
  }
}

TEST(ShardList, ShardsOfAnotherServer) {
  // As kinesalite 3.3.3 answers.
  const ShardPage page = parse_shard_page(
      R"({"Shards":[{"HashKeyRange":{"StartingHashKey":"0","EndingHashKey":)"
      R"("340282366920938463463374607431768211455"},"SequenceNumberRange":)"
      R"({"StartingSequenceNumber":"49668426470532155498604497146838574512386393316393975810"},)"
      R"("ShardId":"shardId-000000000000"}]})",
      Wire::json);
  ASSERT_EQ(page.open.size(), 1U);
  EXPECT_EQ(page.open[0].id, "shardId-000000000000");
}

TEST(ShardList, MalformedLists) {
  for (const std::string_view body :
       {"", "[]", "{}", R"({"Shards":7})", R"({"Shards":[7]})", R"({"Shards":[{}]})",
        R"({"Shards":[{"ShardId":"s","SequenceNumberRange":{}}]})",
        R"({"Shards":[{"ShardId":7,"SequenceNumberRange":{},)"
        R"("HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"1"}}]})",
        R"({"Shards":[{"ShardId":"s","SequenceNumberRange":{},)"
        R"("HashKeyRange":{"StartingHashKey":"-1","EndingHashKey":"1"}}]})"}) {
    EXPECT_THROW(parse_shard_page(body, Wire::json), aws::MalformedResponse) << body;
    EXPECT_THROW(parse_shard_page(body, Wire::cbor), aws::MalformedResponse) << body;
  }
}

class ListShardsTest : public testing::Test {
 protected:
  /// The pages that the stream answers with, one after the other.
  void pages(std::vector<std::string> bodies, std::string_view status = "200 OK") {
    requests_.clear();
    service_.emplace(
        [this, bodies = std::move(bodies), status](http::Peer& peer,
                                                   const std::string& request) -> Awaitable<void> {
          const std::size_t page = std::min(requests_.size(), bodies.size() - 1);
          requests_.emplace_back(http::body_of(request));
          const std::string bytes = http::answer(bodies[page], status);
          co_await peer.write(bytes);
        },
        aws::kKinesis);
  }

  batch::ShardMap list() {
    std::optional<batch::ShardMap> map;
    const auto work = [&]() -> Awaitable<void> {
      const batch::StreamId stream{.name = "backfill", .arn = ""};
      map = co_await list_shards(service_->client, Wire::json, stream, patience_);
    };
    http::run(service_->loop, work());
    return *map;
  }

  std::string failure() {
    try {
      list();
    } catch (const Error& error) {
      return error.what();
    }
    return "it did not fail";
  }

  aws::Patience patience_ = aws::waiting_at_most(std::chrono::seconds(5));
  std::optional<aws::TestService> service_;
  std::vector<std::string> requests_;
};

TEST_F(ListShardsTest, PagesMakeOneMap) {
  pages(
      {json::serialize(json::object{{"Shards", {shard("upper", kHalf, batch::kLastHashKey, false)}},
                                    {"NextToken", "the \"token\""}}),
       json::serialize(json::object{{"Shards", {shard("lower", 0, kHalf - 1, false)}}})});
  const batch::ShardMap map = list();
  ASSERT_EQ(map.shards().size(), 2U);
  EXPECT_EQ(map.shards()[0].id, "lower");
  EXPECT_THAT(requests_, testing::ElementsAre(R"({"StreamName":"backfill"})",
                                              R"({"NextToken":"the \"token\""})"));
}

TEST_F(ListShardsTest, IncompleteStreamIsError) {
  pages({json::serialize(json::object{{"Shards", {shard("lower", 0, kHalf - 1, false)}}})});
  EXPECT_THAT(failure(), testing::HasSubstr("ListShards on stream backfill in eu-west-1: "));
}

TEST_F(ListShardsTest, TooManyShards) {
  json::array shards;
  for (int i = 0; i < 10'000; ++i) {
    shards.push_back(shard("s", 0, 0, false));
  }
  pages({json::serialize(json::object{{"Shards", shards}, {"NextToken", "again"}})});
  EXPECT_THAT(failure(), testing::HasSubstr("more shards than any stream has"));
  EXPECT_EQ(requests_.size(), 11U);
}

TEST_F(ListShardsTest, EndlessListIsError) {
  pages({R"({"Shards":[],"NextToken":"again"})"});
  EXPECT_THAT(failure(), testing::HasSubstr("the list does not end"));
}

TEST_F(ListShardsTest, DeniedOrThrottled) {
  pages({R"({"__type":"AccessDeniedException","message":"not for you"})"}, "400 Bad Request");
  EXPECT_THAT(failure(), testing::HasSubstr("AccessDeniedException"));
  EXPECT_EQ(requests_.size(), 1U);
  pages({R"({"__type":"LimitExceededException","message":"slow down"})"}, "400 Bad Request");
  EXPECT_THAT(failure(), testing::HasSubstr("LimitExceededException"));
}

}  // namespace
}  // namespace everyitem::sink
