#include "batch/aggregating_builder.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/cbor.h"
#include "base/md5.h"
#include "batch/aggregation_format.h"
#include "batch/test_aggregation.h"

namespace everyitem::batch {
namespace {

const StreamId kStream{.name = "s", .arn = ""};

/// Items whose texts do not move, each with its own key.
class Items {
 public:
  source::Item make(const std::string& json) {
    texts_.push_back(std::make_unique<std::string>(json));
    keys_.push_back(std::make_unique<std::string>(std::to_string(keys_.size())));
    return {.json = *texts_.back(), .hash_key = *keys_.back(), .range_key = {}};
  }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::unique_ptr<std::string>> keys_;
};

HashKey hash_key_of(const source::Item& item) { return HashKey{key_hash(item)} << 64; }

/// A record in the request.
struct Sent {
  std::string data;
  std::string partition_key;
  std::string explicit_hash_key;
};

std::vector<Sent> sent(const RecordBatch& batch) {
  std::vector<Sent> records;
  const boost::json::value request = parse_cbor(batch.body.view());
  for (const boost::json::value& record : request.at("Records").as_array()) {
    records.push_back({std::string(record.at("Data").as_string()),
                       std::string(record.at("PartitionKey").as_string()),
                       std::string(record.at("ExplicitHashKey").as_string())});
  }
  return records;
}

/// The items that the batch says a record holds.
std::vector<std::string> items_of_record(const RecordBatch& batch, std::uint32_t record) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    if (batch.items[i].record == record) {
      items.emplace_back(batch.item_text(i));
    }
  }
  return items;
}

class AggregatingBuilderTest : public testing::Test {
 protected:
  std::unique_ptr<AggregatingBuilder> builder(const PutRecordsLimits& limits = {},
                                              Wire wire = Wire::cbor) {
    return std::make_unique<AggregatingBuilder>(put_records_format(wire), kStream, limits,
                                                PartitionKeys(), shards_);
  }

  Items items_;
  CurrentShards shards_{ShardMap::evenly(4)};
};

TEST_F(AggregatingBuilderTest, OneRecordPerShard) {
  const auto building = builder();
  std::map<std::size_t, std::vector<std::string>> by_shard;
  for (int i = 0; i < 100; ++i) {
    const std::string json = "{\"n\":" + std::to_string(i) + "}";
    const source::Item item = items_.make(json);
    ASSERT_EQ(building->add(item, {0, 0}), AddResult::added);
    by_shard[shards_.newest()->shard_of(hash_key_of(item))].push_back(json);
  }
  const RecordBatch batch = building->seal();
  ASSERT_EQ(by_shard.size(), 4U);
  const std::vector<Sent> records = sent(batch);
  ASSERT_EQ(records.size(), 4U);
  for (std::uint32_t i = 0; i < records.size(); ++i) {
    const auto hash_key = parse_hash_key(records[i].explicit_hash_key);
    ASSERT_TRUE(hash_key);
    EXPECT_EQ(items_in(records[i].data), by_shard[shards_.newest()->shard_of(*hash_key)]);
    EXPECT_EQ(items_of_record(batch, i), items_in(records[i].data));
    const std::string_view data = records[i].data;
    const Md5 digest = md5(data.substr(4, data.size() - 20));
    EXPECT_EQ(data.substr(data.size() - 16),
              std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  }
  EXPECT_EQ(batch.items.size(), 100U);
  EXPECT_TRUE(building->empty());
}

TEST_F(AggregatingBuilderTest, WiresCarrySameRecords) {
  const auto cbor = builder();
  const auto json = builder({}, Wire::json);
  for (int i = 0; i < 20; ++i) {
    const source::Item item = items_.make(std::string(50, 'x'));
    cbor->add(item, {0, 0});
    json->add(item, {0, 0});
  }
  const std::vector<Sent> in_cbor = sent(cbor->seal());
  const RecordBatch batch = json->seal();
  const boost::json::value request = boost::json::parse(batch.body.view());
  const auto& in_json = request.at("Records").as_array();
  ASSERT_EQ(in_json.size(), in_cbor.size());
  for (std::uint32_t i = 0; i < in_cbor.size(); ++i) {
    EXPECT_EQ(in_json[i].at("PartitionKey").as_string(), in_cbor[i].partition_key);
    EXPECT_EQ(in_json[i].at("ExplicitHashKey").as_string(), in_cbor[i].explicit_hash_key);
    EXPECT_EQ(items_of_record(batch, i), items_in(in_cbor[i].data));
  }
}

TEST_F(AggregatingBuilderTest, FullRecordStartsAnother) {
  shards_.replace(ShardMap::evenly(1));
  const auto building = builder();
  const std::size_t item_bytes = 1000;
  for (int i = 0; i < 120; ++i) {
    ASSERT_EQ(building->add(items_.make(std::string(item_bytes, 'x')), {0, 0}), AddResult::added);
  }
  const std::vector<Sent> records = sent(building->seal());
  ASSERT_EQ(records.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_LE(records[i].data.size(), kAggregatedRecordBytes);
    EXPECT_GT(records[i].data.size(), kAggregatedRecordBytes - item_bytes - 100);
  }
}

TEST_F(AggregatingBuilderTest, LargeItemStaysPlain) {
  const auto building = builder();
  const std::string large(kAggregatedRecordBytes, 'x');
  const std::string largest(kDefaultMaxRecordBytes - kPartitionKeyLength, 'x');
  const source::Item item = items_.make(large);
  EXPECT_EQ(building->add(item, {0, 0}), AddResult::added);
  const std::vector<Sent> records = sent(building->seal());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].data, large);
  EXPECT_EQ(records[0].explicit_hash_key, decimal(hash_key_of(item)));
  EXPECT_EQ(building->add(items_.make(largest), {0, 0}), AddResult::added);
  EXPECT_EQ(building->add(items_.make(largest + "x"), {0, 0}), AddResult::too_large);
  EXPECT_EQ(sent(building->seal()).size(), 1U);
}

// Each shard's record is to become full.
TEST_F(AggregatingBuilderTest, ManyShardsEnlargeBatches) {
  constexpr std::size_t kFewShardsBytes = std::size_t{512} << 10;
  for (const auto& [shards, bytes] :
       std::map<std::uint32_t, std::size_t>{{4, kFewShardsBytes},
                                            {10, kFewShardsBytes},
                                            {11, 11 * kAggregatedRecordBytes},
                                            {40, 40 * kAggregatedRecordBytes}}) {
    shards_.replace(ShardMap::evenly(shards));
    const auto building = builder();
    while (building->add(items_.make(std::string(1000, 'x')), {0, 0}) == AddResult::added) {
    }
    EXPECT_NEAR(static_cast<double>(building->seal().body.size()), static_cast<double>(bytes),
                5'000)
        << shards;
  }
}

// One more would be for what follows the items in memory.
TEST_F(AggregatingBuilderTest, ItemDrawsOneKey) {
  Random random(1);
  AggregatingBuilder building(put_records_format(Wire::cbor), kStream, {}, PartitionKeys(random),
                              shards_);
  const source::ScanPage page =
      source::ScanPage::parse(PaddedBuffer(R"({"Items":[{},{},{},{},{}]})"), {});
  building.add(page.items()[0], {0, 0});
  building.add_all(page.items(), {0, 0});
  Random again(1);
  for (std::size_t i = 0; i < 1 + page.items().size(); ++i) {
    again.bits();
  }
  EXPECT_EQ(random.bits(), again.bits());
}

TEST_F(AggregatingBuilderTest, ReshardingAffectsNextBatch) {
  const auto building = builder();
  const auto shards_used = [&] {
    for (int i = 0; i < 200; ++i) {
      building->add(items_.make("{}"), {0, 0});
    }
    return sent(building->seal()).size();
  };
  building->add(items_.make("{}"), {0, 0});
  shards_.replace(ShardMap::evenly(8));
  EXPECT_EQ(shards_used(), 4U);
  EXPECT_EQ(shards_used(), 8U);
}

TEST_F(AggregatingBuilderTest, RecordItemsKeepPages) {
  const auto building = builder();
  std::map<std::size_t, std::map<std::uint32_t, std::uint32_t>> items_by_shard_and_page;
  for (std::uint32_t i = 0; i < 60; ++i) {
    const source::Item item = items_.make("{}");
    const std::uint32_t page = i / 20;
    building->add(item, {.segment = page, .sequence = 0});
    ++items_by_shard_and_page[shards_.newest()->shard_of(hash_key_of(item))][page];
  }
  const RecordBatch batch = building->seal();
  const std::vector<Sent> records = sent(batch);
  std::map<std::size_t, std::map<std::uint32_t, std::uint32_t>> told;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const auto hash_key = parse_hash_key(records[batch.items[i].record].explicit_hash_key);
    ASSERT_TRUE(hash_key);
    ++told[shards_.newest()->shard_of(*hash_key)][batch.pages[batch.page_index(i)].page.segment];
  }
  EXPECT_EQ(told, items_by_shard_and_page);
}

TEST_F(AggregatingBuilderTest, RandomItemsWithinLimits) {
  const std::uint32_t seed = 20261124;
  std::mt19937 random(seed);
  const PutRecordsLimits limits{.records = 8, .request_bytes = 30'000, .record_bytes = 9'000};
  for (const std::uint32_t shards : {1U, 3U, 8U, 20U}) {
    shards_.replace(ShardMap::evenly(shards));
    const auto building = builder(limits);
    std::vector<std::string> given;
    std::vector<std::string> received;
    const auto seal = [&] {
      const RecordBatch batch = building->seal();
      std::size_t bytes = 0;
      std::size_t items = 0;
      for (const Sent& record : sent(batch)) {
        EXPECT_LE(record.data.size() + record.partition_key.size(), limits.record_bytes);
        bytes += record.data.size() + record.partition_key.size() + record.explicit_hash_key.size();
        for (const std::string& item : items_in(record.data)) {
          received.push_back(item);
          ++items;
        }
      }
      EXPECT_LE(batch.records.size(), limits.records);
      EXPECT_LE(bytes, limits.request_bytes);
      EXPECT_EQ(items, batch.items.size());
    };
    for (int i = 0; i < 3000; ++i) {
      const std::size_t size = random() % 20 == 0 ? random() % 8'900 : random() % 300;
      std::string json = std::to_string(i) + std::string(size, 'x');
      const source::Item item = items_.make(json);
      if (building->add(item, {0, 0}) == AddResult::full) {
        seal();
        ASSERT_EQ(building->add(item, {0, 0}), AddResult::added);
      }
      given.push_back(std::move(json));
    }
    seal();
    std::ranges::sort(given);
    std::ranges::sort(received);
    EXPECT_EQ(received, given) << "seed " << seed << ", shards " << shards;
  }
}

}  // namespace
}  // namespace everyitem::batch
