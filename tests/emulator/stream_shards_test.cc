#include "emulator/stream_shards.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

namespace everyitem::emulator {
namespace {

using std::chrono::milliseconds;

const StreamShards::Time kStart{};

TEST(StreamShards, ShardOfKeysHash) {
  const StreamShards shards(4, {});
  // Their MD5 sums begin with 0cc1, 92eb, 4a8a and e167.
  EXPECT_EQ(shards.shard_of("a", ""), 0U);
  EXPECT_EQ(shards.shard_of("b", ""), 2U);
  EXPECT_EQ(shards.shard_of("c", ""), 1U);
  EXPECT_EQ(shards.shard_of("e", ""), 3U);
}

TEST(StreamShards, ExplicitHashKeyFirst) {
  const StreamShards shards(2, {});
  EXPECT_EQ(shards.shard_of("b", "0"), 0U);
  EXPECT_EQ(shards.shard_of("b", "170141183460469231731687303715884105727"), 0U);  // 2^127 - 1
  EXPECT_EQ(shards.shard_of("a", "170141183460469231731687303715884105728"), 1U);  // 2^127
  EXPECT_EQ(shards.shard_of("a", "340282366920938463463374607431768211455"), 1U);  // 2^128 - 1
  EXPECT_FALSE(shards.shard_of("a", "340282366920938463463374607431768211456"));
  EXPECT_FALSE(shards.shard_of("a", "-1"));
  EXPECT_FALSE(shards.shard_of("a", "1f"));
}

TEST(StreamShards, RequestsRecordsStayTogether) {
  const StreamShards shards(4, {});
  const auto record = [](std::string_view partition_key, std::string_view explicit_hash_key) {
    return PutRecord{
        .data = {}, .partition_key = partition_key, .explicit_hash_key = explicit_hash_key};
  };
  std::array records = {record("b", ""), record("a", "170141183460469231731687303715884105728"),
                        record("c", ""), record("b", "0"), record("e", "")};
  ASSERT_TRUE(shards.place(records));
  std::vector<std::uint32_t> places;
  std::ranges::transform(records, std::back_inserter(places), &PutRecord::shard);
  EXPECT_EQ(places, (std::vector<std::uint32_t>{2, 2, 1, 0, 3}));
  records.back().explicit_hash_key = "1f";
  EXPECT_FALSE(shards.place(records));
  EXPECT_TRUE(shards.place({}));
}

TEST(StreamShards, SplitMakesNewNames) {
  StreamShards shards(2, {});
  EXPECT_EQ(shards.id_of(1), "shardId-000000000001");
  shards.split_all();
  EXPECT_EQ(shards.open_shards(), 4U);
  EXPECT_EQ(shards.id_of(0), "shardId-000000000002");
  shards.split_all();
  EXPECT_EQ(shards.open_shards(), 8U);
  EXPECT_EQ(shards.id_of(7), "shardId-000000000013");
}

TEST(StreamShards, ListsHashKeyRanges) {
  for (const std::uint32_t count : {1U, 3U, 7U, 200U}) {
    StreamShards shards(count, {});
    shards.split_all();
    std::vector<batch::Shard> open;
    for (std::size_t i = 0; i < shards.all().size(); ++i) {
      EXPECT_EQ(shards.all()[i].closed, i < count);
      if (!shards.all()[i].closed) {
        open.push_back(shards.all()[i].shard);
      }
    }
    const batch::ShardMap map(open);
    ASSERT_EQ(map.shards().size(), 2 * count);
    for (std::uint32_t i = 0; i < 2 * count; ++i) {
      EXPECT_EQ(map.shards()[i].id, shards.id_of(i));
      for (const batch::HashKey key : {map.shards()[i].first, map.shards()[i].last}) {
        EXPECT_EQ(shards.shard_of("", batch::decimal(key)), i);
      }
    }
  }
}

TEST(StreamShards, ShardRecordRate) {
  StreamShards shards(2, {.records_per_second = 10});
  int taken = 0;
  for (int i = 0; i < 20; ++i) {
    taken += shards.take(0, 100, kStart) ? 1 : 0;
  }
  EXPECT_EQ(taken, 10);
  EXPECT_TRUE(shards.take(1, 100, kStart)) << "each has its own";
  EXPECT_FALSE(shards.take(0, 100, kStart + milliseconds(99)));
  EXPECT_TRUE(shards.take(0, 100, kStart + milliseconds(101)));
  taken = 0;
  for (int i = 0; i < 100; ++i) {
    taken += shards.take(0, 100, kStart + std::chrono::hours(1)) ? 1 : 0;
  }
  EXPECT_EQ(taken, 10) << "one second is saved up, not an hour";
}

TEST(StreamShards, LargeRecordOwesBytes) {
  StreamShards shards(1, {.bytes_per_second = 1000});
  EXPECT_TRUE(shards.take(0, 600, kStart));
  EXPECT_TRUE(shards.take(0, 3000, kStart));
  EXPECT_FALSE(shards.take(0, 1, kStart + milliseconds(2500)));
  EXPECT_TRUE(shards.take(0, 1, kStart + milliseconds(2700)));
}

TEST(StreamShards, NoLimitsTakesAll) {
  StreamShards shards(1, {});
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(shards.take(0, 1U << 20, kStart));
  }
}

}  // namespace
}  // namespace everyitem::emulator
