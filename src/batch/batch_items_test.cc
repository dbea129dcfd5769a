// What every builder owes the pipeline, in whatever format the destination gets the items.
#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/aggregating_builder.h"
#include "batch/ndjson_batch.h"
#include "batch/put_records_batch.h"
#include "batch/record_batch.h"

namespace everyitem::batch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// As long as an item is, and otherwise not like it.
class ShoutedFormat final : public ItemFormat {
 public:
  void append(const source::Item& item, PaddedBuffer& to) const override {
    to.append("LOUD ");
    to.append(item.json);
  }
};

struct BuilderCase {
  std::string name;
  std::function<std::unique_ptr<BatchBuilder>(const CurrentShards&)> make;
};

std::vector<BuilderCase> builder_cases() {
  static const ShoutedFormat shouted;
  const StreamId stream{.name = "s", .arn = ""};
  std::vector<BuilderCase> cases;
  for (const ItemFormat* format :
       {static_cast<const ItemFormat*>(nullptr), static_cast<const ItemFormat*>(&shouted)}) {
    const std::string suffix = format == nullptr ? "AsRead" : "Formatted";
    cases.push_back({"Ndjson" + suffix, [=](const CurrentShards&) {
                       return std::make_unique<NdjsonBuilder>(format);
                     }});
    for (const Wire wire : {Wire::json, Wire::cbor}) {
      const std::string name = (wire == Wire::cbor ? "Cbor" : "Json") + suffix;
      cases.push_back({"PutRecords" + name, [=](const CurrentShards&) {
                         return std::make_unique<PutRecordsBuilder>(put_records_format(wire),
                                                                    stream, PutRecordsLimits{},
                                                                    PartitionKeys(), format);
                       }});
      cases.push_back({"Aggregating" + name, [=](const CurrentShards& shards) {
                         return std::make_unique<AggregatingBuilder>(
                             put_records_format(wire), stream, PutRecordsLimits{}, PartitionKeys(),
                             shards, format);
                       }});
    }
  }
  return cases;
}

class BatchItemsTest : public testing::TestWithParam<BuilderCase> {
 protected:
  source::Item item(std::size_t number, std::size_t bytes) {
    const std::string& json = texts_.emplace_back(fmt::format(
        R"({{"pk":{{"S":"{}"}},"text":{{"S":"{}"}}}})", number, std::string(bytes, 'x')));
    return {.json = json, .hash_key = std::string_view(json).substr(6, 8 + number % 2)};
  }

  std::deque<std::string> texts_;
  CurrentShards shards_{ShardMap::evenly(5)};
  std::unique_ptr<BatchBuilder> builder_ = GetParam().make(shards_);
};

TEST_P(BatchItemsTest, EveryItemAsItWasRead) {
  std::vector<std::string> expected;
  for (int round = 0; round < 2; ++round) {  // a builder keeps memory from one batch to the next
    expected.clear();
    for (std::size_t i = 0; i < 300; ++i) {
      const source::Item made = item(i, i * i % 997);
      ASSERT_EQ(
          builder_->add(made, {.segment = static_cast<std::uint32_t>(i / 100), .sequence = 7}),
          AddResult::added);
      expected.emplace_back(made.json);
    }
    // Too large to share a record with others.
    const source::Item large = item(300, 70'000);
    ASSERT_EQ(builder_->add(large, {.segment = 2, .sequence = 7}), AddResult::added);
    expected.emplace_back(large.json);

    const RecordBatch batch = builder_->seal();
    EXPECT_TRUE(builder_->empty());
    ASSERT_EQ(batch.items.size(), expected.size());
    std::set<std::uint32_t> records;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(batch.item_text(i), expected[i]) << i;
      EXPECT_EQ(batch.page_index(i), std::min<std::size_t>(i / 100, 2));
      records.insert(batch.items[i].record);
      bytes += expected[i].size();
    }
    EXPECT_EQ(batch.item_bytes(), bytes);
    EXPECT_EQ(batch.record_count(), records.size());
    EXPECT_EQ(*records.rbegin(), records.size() - 1);
    EXPECT_THAT(batch.pages, ElementsAre(BatchPage{{0, 7}, 100}, BatchPage{{1, 7}, 100},
                                         BatchPage{{2, 7}, 101}));
    EXPECT_THROW(batch.item_text(expected.size()), std::out_of_range);
    EXPECT_THROW(batch.page_index(expected.size()), std::out_of_range);
  }
}

/// In the request, an item stands in the record that its entry names.
TEST_P(BatchItemsTest, RecordsHoldTheirItems) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < 200; ++i) {
    const source::Item made = item(i, 20);
    items.emplace_back(made.json);
    builder_->add(made, {0, 0});
  }
  const RecordBatch batch = builder_->seal();
  const bool verbatim = GetParam().name.find("Json") == std::string::npos;
  const bool formatted = GetParam().name.find("Formatted") != std::string::npos;
  EXPECT_EQ(batch.separate_text.empty(), verbatim && !formatted)
      << "a copy beside a body that holds the items";
  if (batch.records.empty() || !verbatim) {
    return;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const RecordSpan span = batch.records[batch.items[i].record];
    EXPECT_THAT(std::string(batch.body.view().substr(span.offset, span.length)),
                HasSubstr((formatted ? "LOUD " : "") + items[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Builders, BatchItemsTest, testing::ValuesIn(builder_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace everyitem::batch
