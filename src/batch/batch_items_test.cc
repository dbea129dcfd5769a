// What every builder guarantees the pipeline, in whatever format the destination gets the items.
#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/aggregating_builder.h"
#include "batch/item_formats.h"
#include "batch/ndjson_batch.h"
#include "batch/put_records_batch.h"
#include "batch/record_batch.h"

namespace everyitem::batch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Each item after a word.
class ShoutedFormat final : public ItemFormat {
 public:
  void append(const source::Item& item, PaddedBuffer& to) const override {
    to.append("LOUD ");
    to.append(item.json);
  }
};

/// A format with its name. Null: items as they were read.
using Format = std::pair<std::string, std::shared_ptr<const ItemFormat>>;

std::vector<Format> formats() {
  std::vector<Format> formats = {{"shouted", std::make_shared<ShoutedFormat>()}};
  for (const NamedItemFormat& format : item_formats()) {
    formats.emplace_back(format.name,
                         make_item_format(format.name, {.table = "orders", .keys = {"pk", ""}}));
  }
  return formats;
}

struct BuilderCase {
  std::string name;
  std::shared_ptr<const ItemFormat> format;
  bool verbatim = true;  ///< the body holds the formatted items byte for byte
  std::function<std::unique_ptr<BatchBuilder>(const CurrentShards&)> make;
};

std::vector<BuilderCase> builder_cases() {
  const StreamId stream{.name = "s", .arn = ""};
  std::vector<BuilderCase> cases;
  for (const auto& [name, format] : formats()) {
    const ItemFormat* const item_format = format.get();
    cases.push_back({"Ndjson_" + name, format, true, [=](const CurrentShards&) {
                       return std::make_unique<NdjsonBuilder>(item_format);
                     }});
    for (const Wire wire : {Wire::json, Wire::cbor}) {
      const bool verbatim = wire == Wire::cbor;
      const std::string suffix = (verbatim ? "_cbor_" : "_json_") + name;
      const PutRecordsFormat& put_format = put_records_format(wire);
      cases.push_back(
          {"PutRecords" + suffix, format, verbatim, [=, &put_format](const CurrentShards&) {
             return std::make_unique<PutRecordsBuilder>(put_format, stream, PutRecordsLimits{},
                                                        PartitionKeys(), item_format);
           }});
      cases.push_back(
          {"Aggregating" + suffix, format, verbatim, [=, &put_format](const CurrentShards& shards) {
             return std::make_unique<AggregatingBuilder>(put_format, stream, PutRecordsLimits{},
                                                         PartitionKeys(), shards, item_format);
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

  static std::size_t formatted_size(const std::string& json) {
    const source::Item item{.json = json, .hash_key = {}, .range_key = {}};
    return FormattedItems(GetParam().format.get()).bytes_of(item).size();
  }

  std::deque<std::string> texts_;
  CurrentShards shards_{ShardMap::evenly(5)};
  std::unique_ptr<BatchBuilder> builder_ = GetParam().make(shards_);
};

TEST_P(BatchItemsTest, EveryItemAsRead) {
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
    std::uint64_t formatted_bytes = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(batch.item_text(i), expected[i]) << i;
      EXPECT_EQ(batch.page_index(i), std::min<std::size_t>(i / 100, 2));
      records.insert(batch.items[i].record);
      bytes += expected[i].size();
      const std::size_t formatted = formatted_size(expected[i]);
      EXPECT_EQ(batch.formatted_length(i), formatted);
      const source::Item item{.json = expected[i], .hash_key = {}, .range_key = {}};
      EXPECT_EQ(builder_->formatted_length(item), formatted);
      formatted_bytes += formatted;
    }
    EXPECT_EQ(batch.item_bytes(), bytes);
    EXPECT_EQ(batch.formatted_bytes(), formatted_bytes);
    const bool as_read = GetParam().format == nullptr;
    EXPECT_EQ(builder_->formatted_bytes(), as_read ? 0 : (round + 1) * formatted_bytes);
    EXPECT_EQ(batch.record_count(), records.size());
    EXPECT_EQ(*records.rbegin(), records.size() - 1);
    EXPECT_THAT(batch.pages, ElementsAre(BatchPage{{0, 7}, 100}, BatchPage{{1, 7}, 100},
                                         BatchPage{{2, 7}, 101}));
    EXPECT_THROW(batch.item_text(expected.size()), std::out_of_range);
    EXPECT_THROW(batch.page_index(expected.size()), std::out_of_range);
  }
}

/// In the body, an item is in the record that its entry names.
TEST_P(BatchItemsTest, RecordsHoldTheirItems) {
  std::vector<std::string> formatted;
  for (std::size_t i = 0; i < 200; ++i) {
    const source::Item made = item(i, 20);
    formatted.emplace_back(FormattedItems(GetParam().format.get()).bytes_of(made));
    builder_->add(made, {0, 0});
  }
  const RecordBatch batch = builder_->seal();
  const bool as_read = GetParam().format == nullptr;
  EXPECT_EQ(batch.separate_text.empty(), GetParam().verbatim && as_read)
      << "a copy of items that the body holds";
  if (batch.records.empty() || !GetParam().verbatim) {
    return;
  }
  for (std::size_t i = 0; i < formatted.size(); ++i) {
    const RecordSpan span = batch.records[batch.items[i].record];
    EXPECT_THAT(std::string(batch.body.view().substr(span.offset, span.length)),
                HasSubstr(formatted[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Builders, BatchItemsTest, testing::ValuesIn(builder_cases()),
                         [](const auto& one) { return one.param.name; });

TEST(ItemFormats, FirstIsAsRead) {
  EXPECT_EQ(item_formats().front().name, "item");
  EXPECT_EQ(make_item_format("item", {}), nullptr);
}

TEST(ItemFormats, UnknownName) {
  try {
    make_item_format("Item", {});
    FAIL() << "made";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown record format \"Item\"; known: item, plain"));
  }
}

}  // namespace
}  // namespace everyitem::batch
