#include "checkpoint/dynamodb_store.h"

#include <gtest/gtest.h>

#include "base/unix_time.h"
#include "checkpoint/checkpoint_store_conformance.h"
#include "checkpoint/remote_store_conformance.h"
#include "emulator/emulated_items.h"
#include "support/mutated_text.h"

namespace everyitem::checkpoint {
namespace {

class DynamoDbUnderTest final : public RemoteUnderTest {
 public:
  DynamoDbUnderTest() : RemoteUnderTest(aws::kDynamoDb) {
    items.items_per_page = 2;
    items.writes_per_batch = 2;
  }

  std::unique_ptr<CheckpointStore> open() override {
    return std::make_unique<DynamoDbStore>(
        DynamoDbLocation{.table = "checkpoints", .run = "nightly"}, context());
  }
  void damage() override { run_item()["identity"] = {{"S", "[[\"table\""}}; }
  void set_format(int format) override { run_item()["format"] = {{"N", std::to_string(format)}}; }
  auto& content() { return items.tables; }
  /// Some item, which stays JSON.
  void mutate(std::uint64_t seed) {
    auto& table = items.tables.at("checkpoints");
    auto& item = std::next(table.begin(), static_cast<std::ptrdiff_t>(seed % table.size()))->second;
    const boost::json::object key{{"run", item.at("run")}, {"item", item.at("item")}};
    boost::system::error_code error;
    boost::json::value parsed;
    for (std::uint64_t i = 0; error || !parsed.is_object(); ++i) {
      parsed = boost::json::parse(mutated(boost::json::serialize(item), seed + 10'000 * i), error);
    }
    item = std::move(parsed.as_object());
    item["run"] = key.at("run");  // by which the table has it
    item["item"] = key.at("item");
  }
  std::string expires_at() { return std::string(run_item().at("expires_at").at("N").as_string()); }
  boost::json::object& run_item() { return items.tables.at("checkpoints").at({"nightly", "run"}); }

  emulator::EmulatedItems items;

 protected:
  emulator::ServiceReply answer(std::string_view operation, std::string_view body) override {
    return items.answer(operation, body);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(DynamoDb, CheckpointStoreConformance, DynamoDbUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(DynamoDb, RemoteStoreConformance, DynamoDbUnderTest);
INSTANTIATE_TYPED_TEST_SUITE_P(DynamoDb, FailingCalls, DynamoDbUnderTest);

class DynamoDbStoreTest : public RemoteStoreConformance<DynamoDbUnderTest> {};

TEST_F(DynamoDbStoreTest, FinishLeavesExpiringItem) {
  RunState state = example();
  auto store = backend_.open();
  begin(*store, state);
  for (SegmentProgress& segment : state.segments) {
    segment.position.complete = true;
    segment.items = 2;
  }
  save(*store, state.segments);
  EXPECT_EQ(backend_.items.tables.at("checkpoints").size(), 4U);
  EXPECT_FALSE(backend_.run_item().contains("expires_at")) << "it is not finished";
  end(store);
  EXPECT_EQ(backend_.items.tables.at("checkpoints").size(), 1U);
  const std::int64_t now = seconds_now(backend_.service.clock);
  EXPECT_EQ(backend_.expires_at(), std::to_string(now + 30L * 86400));
  found();  // who looks does not lengthen its life
  EXPECT_EQ(backend_.expires_at(), std::to_string(now + 30L * 86400));
}

TEST_F(DynamoDbStoreTest, SegmentsRemovedInBatches) {
  backend_.items.writes_per_batch = 25;  // as many as DynamoDB takes
  complete({.identity = {{"table", "t"}}, .segments = fresh_segments(60)});
  EXPECT_EQ(backend_.count("BatchWriteItem"), 3U);
  EXPECT_EQ(backend_.items.tables.at("checkpoints").size(), 1U);
}

TEST_F(DynamoDbStoreTest, MisnamedSegmentIsDamage) {
  const RunState state = example();
  auto store = backend_.open();
  begin(*store, state);
  save(*store, {{.segment = 1, .items = 9}});
  end(store);
  auto& table = backend_.items.tables.at("checkpoints");
  const std::string prefix = "segment-" + state.token + "-";
  auto node = table.extract({"nightly", prefix + "0000001"});
  ASSERT_FALSE(node.empty());
  // Its number is that of a segment, or its name is that of a segment which the run does not have.
  for (const std::string name : {"1", "0000001x", "0000003"}) {
    node.key().second = prefix + name;
    node.mapped()["item"] = {{"S", prefix + name}};
    const auto placed = table.insert(std::move(node)).position;
    EXPECT_NE(load_failure().find("no segment of this run"), std::string::npos) << name;
    node = table.extract(placed);
  }
}

TEST_F(DynamoDbStoreTest, AbsurdTimeIsBounded) {
  complete(example());
  backend_.run_item()["finished_at"] = {{"N", "9223372036854775807"}};
  EXPECT_EQ(found()->finished_at, kLastUnixTime);
  auto next = backend_.open();
  EXPECT_EQ(run(next->load())->finished_at, kLastUnixTime);
  end(next);
}

TEST_F(DynamoDbStoreTest, FinishedIsComplete) {
  complete(example());
  for (const auto& [name, value] :
       {std::pair<std::string, boost::json::object>{"complete", {{"BOOL", false}}},
        std::pair<std::string, boost::json::object>{"last_evaluated_key", {{"S", "{}"}}}}) {
    const boost::json::object whole = backend_.run_item();
    backend_.run_item()[name] = value;
    EXPECT_NE(load_failure().find("finished and not complete"), std::string::npos) << name;
    backend_.run_item() = whole;
  }
}

TEST_F(DynamoDbStoreTest, EarlierRunsSegmentDropped) {
  {
    auto store = backend_.open();
    begin(*store, example());
    save(*store, {{.segment = 1, .position = {.complete = true}, .items = 9}});
    end(store);
  }
  // The run's item has gone, by its time to live say, and the segment's has not.
  backend_.items.tables.at("checkpoints").erase({"nightly", "run"});
  auto store = backend_.open();
  EXPECT_FALSE(run(store->load()).has_value());
  const std::size_t before = backend_.count("BatchWriteItem");
  begin(*store, example());
  EXPECT_GT(backend_.count("BatchWriteItem"), before);
  end(store);
  EXPECT_EQ(found()->segments, example().segments);
}

TEST_F(DynamoDbStoreTest, RunsShareATable) {
  const auto other =
      std::make_unique<DynamoDbStore>(DynamoDbLocation{.table = "checkpoints"}, backend_.context());
  begin(*other, example());
  EXPECT_FALSE(found().has_value());
  EXPECT_EQ(backend_.items.tables.at("checkpoints").begin()->first.first, "default");
}

TEST_F(DynamoDbStoreTest, QuickRunSegmentsOnly) {
  auto store = backend_.open();
  begin(*store, example());
  const std::size_t before = backend_.operations.size();
  for (std::uint64_t i = 1; i <= 50; ++i) {
    save(*store, {{.segment = 0, .items = i}});
  }
  EXPECT_EQ(backend_.operations.size() - before, 50U);
}

TEST_F(DynamoDbStoreTest, TrustedLeaseCannotOverwrite) {
  auto first = backend_.open();
  begin(*first, example());
  auto second = backend_.open();
  run(second->load());
  save(*second, {{.segment = 1, .items = 9}});
  try {
    save(*first, {{.segment = 1, .items = 2}});
    ADD_FAILURE() << "written over";
  } catch (const OwnedByAnother& error) {
    EXPECT_NE(std::string(error.what()).find("taken over this run: process 2"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(save(*first, {{.segment = 0, .items = 2}}), OwnedByAnother) << "it knows now";
  end(second);
  EXPECT_EQ(found()->items(), 9U);
}

TEST_F(DynamoDbStoreTest, SegmentsAreWrittenConcurrently) {
  constexpr std::uint32_t kSegments = 100;
  RunState state{.identity = {{"table", "t"}}, .segments = fresh_segments(kSegments)};
  auto store = backend_.open();
  begin(*store, state);
  std::size_t at_once = 0;
  std::size_t most = 0;
  backend_.on_arrived = [&](int change) {
    at_once += static_cast<std::size_t>(change);
    most = std::max(most, at_once);
  };
  for (SegmentProgress& segment : state.segments) {
    segment.items = 1 + segment.segment;
  }
  save(*store, state.segments);
  backend_.on_arrived = {};
  EXPECT_EQ(most, DynamoDbStore::kMaxWritesAtOnce);
  end(store);
  EXPECT_EQ(found()->segments, state.segments);
}

TEST_F(DynamoDbStoreTest, OnlyLastMoveWritten) {
  auto store = backend_.open();
  begin(*store, example());
  save(*store,
       {{.segment = 0, .items = 1}, {.segment = 1, .items = 7}, {.segment = 0, .items = 2}});
  EXPECT_EQ(backend_.count("PutItem"), 1U + 2);
  end(store);
  EXPECT_EQ(found()->items(), 9U);
}

TEST_F(DynamoDbStoreTest, TableNamedByArn) {
  std::string asked;
  StoreContext context = backend_.context();
  context.client = [&](const aws::ServiceModel& model, const std::string& region) -> aws::Client& {
    asked = std::string(model.signing_name) + " in " + region;
    return backend_.service.client;
  };
  constexpr const char* kArn = "arn:aws:dynamodb:eu-central-1:123456789012:table/checkpoints";
  DynamoDbStore store(DynamoDbLocation::parse(std::string(kArn) + "/a run/of mine"), context);
  EXPECT_EQ(asked, "dynamodb in eu-central-1");
  begin(store, example());
  EXPECT_TRUE(backend_.items.tables.at(kArn).contains({"a run/of mine", "run"}));
}

}  // namespace
}  // namespace everyitem::checkpoint
