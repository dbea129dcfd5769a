#include "batch/shard_map.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace everyitem::batch {
namespace {

constexpr HashKey kHalf = HashKey{1} << 127;

TEST(ShardMap, HashKeysAreDecimal) {
  EXPECT_EQ(decimal(0), "0");
  EXPECT_EQ(decimal(kHalf), "170141183460469231731687303715884105728");
  EXPECT_EQ(decimal(kLastHashKey), "340282366920938463463374607431768211455");
  for (const HashKey key : {HashKey{0}, HashKey{9}, kHalf, kLastHashKey}) {
    EXPECT_TRUE(parse_hash_key(decimal(key)) == key);
  }
}

TEST(ShardMap, InvalidHashKeys) {
  for (const char* text : {"", "-", "-1", "/", "1x", "340282366920938463463374607431768211456",
                           "3402823669209384634633746074317682114550"}) {
    EXPECT_FALSE(parse_hash_key(text)) << text;
  }
}

TEST(ShardMap, OneShardPerKey) {
  const ShardMap map({{"b", kHalf, kLastHashKey}, {"a", 0, kHalf - 1}});
  EXPECT_EQ(map.shards()[map.shard_of(0)].id, "a");
  EXPECT_EQ(map.shards()[map.shard_of(kHalf - 1)].id, "a");
  EXPECT_EQ(map.shards()[map.shard_of(kHalf)].id, "b");
  EXPECT_EQ(map.shards()[map.shard_of(kLastHashKey)].id, "b");
}

TEST(ShardMap, SingleKeyShard) {
  const ShardMap map({{"a", 0, 0}, {"b", 1, kLastHashKey}});
  EXPECT_EQ(map.shards()[map.shard_of(0)].id, "a");
  EXPECT_EQ(map.shards()[map.shard_of(1)].id, "b");
}

// After a split or a merge, the shard of a key is not where it would be among even ones.
TEST(ShardMap, UnevenShards) {
  constexpr HashKey kStep = kHalf >> 3;
  constexpr unsigned kSteps = 16;
  for (unsigned second = 1; second < kSteps; ++second) {
    for (unsigned third = second + 1; third < kSteps; ++third) {
      const ShardMap map({{"a", 0, second * kStep - 1},
                          {"b", second * kStep, third * kStep - 1},
                          {"c", third * kStep, kLastHashKey}});
      for (unsigned step = 0; step < kSteps; ++step) {
        const std::size_t expected = step < second ? 0 : step < third ? 1 : 2;
        EXPECT_EQ(map.shard_of(step * kStep), expected);
        EXPECT_EQ(map.shard_of(step * kStep + (kStep - 1)), expected);
      }
    }
  }
}

TEST(ShardMap, RefusesGapsAndOverlaps) {
  const auto made_of = [](std::vector<Shard> shards) { return ShardMap(std::move(shards)); };
  EXPECT_THROW(made_of({}), std::invalid_argument);
  EXPECT_THROW(made_of({{"a", 0, kHalf}}), std::invalid_argument);
  EXPECT_THROW(made_of({{"a", 1, kLastHashKey}}), std::invalid_argument);
  EXPECT_THROW(made_of({{"a", 0, kHalf - 1}, {"b", kHalf + 1, kLastHashKey}}),
               std::invalid_argument);
  EXPECT_THROW(made_of({{"a", 0, kHalf}, {"b", kHalf, kLastHashKey}}), std::invalid_argument);
  EXPECT_THROW(made_of({{"a", 0, kLastHashKey}, {"b", 0, kLastHashKey}}), std::invalid_argument);
  EXPECT_THROW(made_of({{"a", 5, 4}, {"b", 0, kLastHashKey}}), std::invalid_argument);
}

}  // namespace
}  // namespace everyitem::batch
