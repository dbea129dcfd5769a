#include "batch/ndjson_batch.h"

#include <gtest/gtest.h>

namespace everyitem::batch {
namespace {

source::Item item(std::string_view json) { return {.json = json}; }

TEST(NdjsonBatch, OneLinePerItem) {
  NdjsonBuilder builder;
  builder.add(item(R"({"a":{"S":"x"}})"), {0, 0});
  builder.add(item("{}"), {0, 1});
  const RecordBatch batch = builder.seal();
  EXPECT_EQ(batch.body.view(), "{\"a\":{\"S\":\"x\"}}\n{}\n");
  EXPECT_EQ(batch.items.size(), 2U);
  EXPECT_EQ(batch.item_bytes(), 17U);
  EXPECT_EQ(batch.pages.size(), 2U);
  EXPECT_TRUE(builder.empty());
}

TEST(NdjsonBatch, LineBreaksBecomeSpaces) {
  NdjsonBuilder builder;
  builder.add(item("{\r\n\"a\":\n{}}"), {0, 0});
  const RecordBatch batch = builder.seal();
  EXPECT_EQ(batch.body.view(), "{  \"a\": {}}\n");
}

TEST(NdjsonBatch, FullAtItsSize) {
  NdjsonBuilder builder;
  const std::string huge(2 * kNdjsonBatchBytes, 'x');
  EXPECT_EQ(builder.add(item(huge), {0, 0}), AddResult::added);
  EXPECT_EQ(builder.add(item("{}"), {0, 0}), AddResult::full);
  EXPECT_EQ(builder.seal().body.size(), huge.size() + 1);
  const std::string exact(kNdjsonBatchBytes - 4, 'x');
  EXPECT_EQ(builder.add(item(exact), {0, 0}), AddResult::added);
  EXPECT_EQ(builder.add(item("{}"), {0, 0}), AddResult::added);
  EXPECT_EQ(builder.add(item("{}"), {0, 0}), AddResult::full);
}

}  // namespace
}  // namespace everyitem::batch
