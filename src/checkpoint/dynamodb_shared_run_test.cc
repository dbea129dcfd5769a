#include "checkpoint/dynamodb_shared_run.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "checkpoint/dynamodb_store.h"
#include "emulator/emulated_items.h"
#include "support/test_service.h"

namespace everyitem::checkpoint {
namespace {

class DynamoDbSharedRunTest : public testing::Test {
 protected:
  static DynamoDbLocation here() { return {.table = "checkpoints", .run = "nightly"}; }
  static RunState example(std::uint32_t parts = 3, std::string token = new_run_token()) {
    return {.identity = {{"table", "orders"}, {"filter", ""}},
            .segments = fresh_segments(parts),
            .token = std::move(token)};
  }
  static SegmentProgress progress(std::uint32_t part, std::uint64_t items, bool complete = false) {
    return {.segment = part,
            .position = {.last_evaluated_key = complete ? "" : "{\"id\":{\"N\":\"7\"}}",
                         .complete = complete},
            .items = items,
            .bytes = 10 * items};
  }

  StoreContext context(std::string owner) {
    StoreContext context{.clock = service_.clock,
                         .owner = std::move(owner),
                         .kms_key = {},
                         .interval = {},
                         .client = {},
                         .notice = [this](const Message& text) { notices_.push_back(text.text()); },
                         .handed_over = {}};
    context.client = [this](const aws::ServiceModel&, const std::string&) -> aws::Client& {
      return service_.client;
    };
    return context;
  }
  std::unique_ptr<SharedRun> process(const std::string& name) {
    return std::make_unique<DynamoDbSharedRun>(here(), context(name));
  }

  template <typename T>
  T run(Awaitable<T> work) {
    auto result = asio::co_spawn(service_.loop, std::move(work), asio::use_future);
    service_.loop.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      service_.loop.run_one();
    }
    return result.get();
  }
  StoredSegment part(SharedRun& process, std::uint32_t number) {
    return run(process.parts({.first = number, .count = 1})).at(0);
  }
  /// Claims it as it is.
  bool claim(SharedRun& process, std::uint32_t number) {
    return run(process.claim(part(process, number))).has_value();
  }
  /// Of `first_`; the others take part in it.
  void begin(std::uint32_t parts = 3) {
    ASSERT_TRUE(run(first_->begin(example(parts))));
    ASSERT_TRUE(run(second_->join()).has_value());
  }
  std::vector<StoredSegment> parts(SharedRun& process, std::uint32_t count) {
    return run(process.parts({.first = 0, .count = count}));
  }
  std::size_t items_in_table() { return items_.tables["checkpoints"].size(); }

  std::string failure_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return "none";
  }

  emulator::EmulatedItems items_;
  bool answer_is_lost_ = false;  ///< that to the next write
  std::vector<std::string> notices_;
  aws::TestService service_{
      [this](http::Peer& peer, const std::string& request) -> Awaitable<void> {
        constexpr std::string_view kTarget = "DynamoDB_20120810.";
        const auto begin = request.find(kTarget) + kTarget.size();
        const std::string operation = request.substr(begin, request.find('\r', begin) - begin);
        const emulator::ServiceReply reply = items_.answer(operation, http::body_of(request));
        const bool lost =
            operation == "PutItem" && reply.status == 200 && std::exchange(answer_is_lost_, false);
        const std::string bytes =
            lost ? http::answer("", "500 Internal Server Error")
                 : http::answer(reply.body, reply.status == 200 ? "200 OK" : "400 Bad Request");
        co_await peer.write(bytes);
      },
      aws::kDynamoDb};
  std::unique_ptr<SharedRun> first_ = process("first");
  std::unique_ptr<SharedRun> second_ = process("second");
};

TEST_F(DynamoDbSharedRunTest, NothingIsThere) {
  EXPECT_EQ(run(first_->join()), std::nullopt);
  EXPECT_EQ(items_in_table(), 0U);
}

TEST_F(DynamoDbSharedRunTest, BegunRunIsJoined) {
  const RunState state = example();
  EXPECT_TRUE(run(first_->begin(state)));
  const std::optional<RunRecord> record = run(second_->join());
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->token, state.token);
  EXPECT_EQ(record->segments, 3U);
  EXPECT_EQ(parse_identity(record->identity), state.identity);
  EXPECT_TRUE(record->shared);
  const std::vector<StoredSegment> fresh = parts(*second_, 3);
  ASSERT_EQ(fresh.size(), 3U);
  EXPECT_EQ(fresh[2].progress, (SegmentProgress{.segment = 2}));
  EXPECT_EQ(fresh[2].sharer, "");
}

TEST_F(DynamoDbSharedRunTest, OneBeginningCounts) {
  EXPECT_TRUE(run(first_->begin(example(3))));
  EXPECT_FALSE(run(second_->begin(example(40))));
  EXPECT_EQ(items_in_table(), 1U) << "parts have items once they are claimed";
  EXPECT_EQ(run(second_->join())->segments, 3U);
}

TEST_F(DynamoDbSharedRunTest, EarlierRunIsRemoved) {
  begin(3);
  ASSERT_TRUE(claim(*second_, 1));
  items_.tables.at("checkpoints").erase({"nightly", "run"});
  EXPECT_TRUE(run(first_->begin(example(3))));
  EXPECT_EQ(items_in_table(), 1U);
}

TEST_F(DynamoDbSharedRunTest, SomePartsOfMany) {
  items_.items_per_page = 7;
  begin(60);
  for (std::uint32_t number = 0; number < 60; ++number) {
    ASSERT_TRUE(claim(number % 2 == 0 ? *first_ : *second_, number));
  }
  const std::vector<StoredSegment> some = run(first_->parts({.first = 20, .count = 30}));
  ASSERT_EQ(some.size(), 30U);
  for (std::uint32_t i = 0; i < 30; ++i) {
    EXPECT_EQ(some[i].progress.segment, 20 + i);
    EXPECT_EQ(some[i].sharer, i % 2 == 0 ? "first" : "second");
  }
}

TEST_F(DynamoDbSharedRunTest, LostAnswersFoundOut) {
  answer_is_lost_ = true;
  EXPECT_TRUE(run(first_->begin(example())));
  const StoredSegment free = part(*first_, 1);
  answer_is_lost_ = true;
  EXPECT_TRUE(run(first_->claim(free)).has_value());
  answer_is_lost_ = true;
  EXPECT_TRUE(run(first_->save({progress(1, 5)})).empty());
  EXPECT_EQ(part(*first_, 1).progress, progress(1, 5));
  answer_is_lost_ = true;
  run(first_->give_back(1));
  EXPECT_EQ(part(*first_, 1).sharer, "");
  answer_is_lost_ = true;
  run(first_->tell({.name = "first", .turn = 1}));
  EXPECT_EQ(run(first_->sharers()).size(), 1U);
}

TEST_F(DynamoDbSharedRunTest, PartIsClaimedOnce) {
  begin();
  const StoredSegment free = part(*first_, 1);
  const std::optional<StoredSegment> claimed = run(first_->claim(free));
  ASSERT_TRUE(claimed.has_value());
  EXPECT_EQ(claimed->sharer, "first");
  EXPECT_EQ(claimed->progress, free.progress);
  EXPECT_EQ(run(second_->claim(free)), std::nullopt);
  EXPECT_EQ(part(*second_, 1), claimed);
}

TEST_F(DynamoDbSharedRunTest, TakenPartGoesOn) {
  begin();
  ASSERT_TRUE(claim(*first_, 0));
  ASSERT_TRUE(run(first_->save({progress(0, 5)})).empty());
  const std::optional<StoredSegment> taken = run(second_->claim(part(*second_, 0)));
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->progress, progress(0, 5));
  EXPECT_TRUE(run(second_->save({progress(0, 9)})).empty());
  EXPECT_EQ(part(*second_, 0).progress, progress(0, 9));
}

TEST_F(DynamoDbSharedRunTest, TakenPartIsLost) {
  begin();
  ASSERT_TRUE(claim(*first_, 0));
  ASSERT_TRUE(claim(*first_, 1));
  ASSERT_TRUE(claim(*second_, 0));
  EXPECT_EQ(run(first_->save({progress(0, 5), progress(1, 6)})), std::vector<std::uint32_t>{0});
  EXPECT_EQ(part(*first_, 0).sharer, "second");
  EXPECT_EQ(part(*first_, 0).progress, (SegmentProgress{.segment = 0}));
  EXPECT_EQ(part(*first_, 1).progress, progress(1, 6));
  EXPECT_EQ(run(first_->save({progress(0, 7)})), std::vector<std::uint32_t>{0});
  run(first_->give_back(0));
  EXPECT_EQ(part(*first_, 0).sharer, "second");
}

TEST_F(DynamoDbSharedRunTest, ReturnedPartIsFree) {
  begin();
  ASSERT_TRUE(claim(*first_, 2));
  ASSERT_TRUE(run(first_->save({progress(2, 8)})).empty());
  run(first_->give_back(2));
  EXPECT_EQ(part(*first_, 2).sharer, "");
  EXPECT_EQ(part(*first_, 2).progress, progress(2, 8));
  EXPECT_EQ(run(first_->save({progress(2, 9)})), std::vector<std::uint32_t>{2});
}

TEST_F(DynamoDbSharedRunTest, LateWriteTakenUp) {
  begin();
  ASSERT_TRUE(claim(*first_, 0));
  // A save of which this process knows nothing: it failed, and was done all the same.
  auto& item =
      std::ranges::find_if(items_.tables["checkpoints"], [](const auto& entry) {
        return entry.first.second.starts_with("segment-") && entry.second.contains("sharer");
      })->second;
  item["version"] = {{"N", "3"}};
  item["items"] = {{"N", "4"}};
  EXPECT_TRUE(run(first_->save({progress(0, 5)})).empty());
  EXPECT_EQ(part(*first_, 0).progress, progress(0, 5));
  EXPECT_EQ(part(*first_, 0).version, 4U);
}

TEST_F(DynamoDbSharedRunTest, CompletePartIsNobodys) {
  begin();
  ASSERT_TRUE(claim(*first_, 0));
  EXPECT_TRUE(run(first_->save({progress(0, 5, true)})).empty());
  EXPECT_EQ(part(*first_, 0).sharer, "");
  EXPECT_TRUE(part(*first_, 0).progress.position.complete);
}

TEST_F(DynamoDbSharedRunTest, FinishedOnceComplete) {
  begin(2);
  ASSERT_TRUE(claim(*first_, 0));
  ASSERT_TRUE(claim(*second_, 1));
  EXPECT_TRUE(run(first_->save({progress(0, 5, true)})).empty());
  EXPECT_EQ(run(first_->finish()), std::nullopt);
  EXPECT_TRUE(run(second_->save({progress(1, 7, true)})).empty());
  run(first_->tell({.name = "first", .turn = 1}));
  const std::optional<FinishedRun> finished = run(second_->finish());
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->totals.items, 12U);
  EXPECT_EQ(finished->totals.bytes, 120U);
  EXPECT_EQ(items_in_table(), 1U) << "the record says all";
  EXPECT_EQ(run(first_->finish()), finished);
  EXPECT_TRUE(parts(*first_, 2).empty());
  EXPECT_EQ(run(process("third")->join())->finished, finished);
}

TEST_F(DynamoDbSharedRunTest, FinishedByTwo) {
  begin(1);
  ASSERT_TRUE(claim(*first_, 0));
  EXPECT_TRUE(run(first_->save({progress(0, 5, true)})).empty());
  // The second has seen that all is complete, and writes after the first.
  const auto parts_there = items_.tables["checkpoints"];
  const std::optional<FinishedRun> finished = run(first_->finish());
  const auto record = items_.tables["checkpoints"];
  items_.tables["checkpoints"].insert(parts_there.begin(), parts_there.end());
  EXPECT_EQ(run(second_->finish()), finished);
  EXPECT_EQ(items_.tables["checkpoints"], record);
}

TEST_F(DynamoDbSharedRunTest, ClaimAfterEndFails) {
  begin(1);
  const StoredSegment free = part(*second_, 0);
  ASSERT_TRUE(claim(*first_, 0));
  EXPECT_TRUE(run(first_->save({progress(0, 5, true)})).empty());
  ASSERT_TRUE(run(first_->finish()).has_value());
  EXPECT_EQ(run(second_->claim(free)), std::nullopt);
  EXPECT_EQ(items_in_table(), 1U);
}

// Its item was deleted with those of the run, after the process had seen that there was none yet.
TEST_F(DynamoDbSharedRunTest, MissedEndIsNoticed) {
  begin(2);
  const StoredSegment free = part(*second_, 1);
  ASSERT_EQ(free.version, 0U);
  for (const std::uint32_t number : {0U, 1U}) {
    ASSERT_TRUE(claim(*first_, number));
    EXPECT_TRUE(run(first_->save({progress(number, 5, true)})).empty());
  }
  const std::optional<FinishedRun> finished = run(first_->finish());
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(run(second_->claim(free)), std::nullopt);
  EXPECT_EQ(items_in_table(), 1U);
  EXPECT_TRUE(parts(*second_, 2).empty());
  EXPECT_EQ(run(second_->finish()), finished);
}

TEST_F(DynamoDbSharedRunTest, RemovedRunIsTold) {
  begin();
  ASSERT_TRUE(claim(*first_, 0));
  items_.tables.clear();
  EXPECT_EQ(run(first_->save({progress(0, 5)})), std::vector<std::uint32_t>{0});
  EXPECT_NE(failure_of([&] { parts(*first_, 3); }).find("removed, or replaced"), std::string::npos);
  EXPECT_EQ(items_in_table(), 0U);
}

TEST_F(DynamoDbSharedRunTest, SharersTellEachOther) {
  begin();
  const Sharer first{.name = "first",
                     .turn = 3,
                     .lease = std::chrono::seconds(30),
                     .parts = 8,
                     .wants_parts = true,
                     .rate = 1000 / 3.0,
                     .read_units = 12.5,
                     .wanted = 0.25};
  const Sharer second{.name = "second", .turn = 1};
  run(first_->tell(first));
  run(second_->tell(second));
  EXPECT_EQ(run(second_->sharers()), (std::vector{first, second}));
  run(second_->forget(second));
  EXPECT_EQ(run(second_->sharers()), std::vector{first});
}

// DynamoDB refuses numbers that are nearer to 0.
TEST_F(DynamoDbSharedRunTest, TinyUnitsAreNone) {
  begin(1);
  run(first_->tell({.name = "first", .turn = 1, .read_units = 1e-200, .wanted = 1e-131}));
  const std::vector<Sharer> told = run(second_->sharers());
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].read_units, 0);
  EXPECT_EQ(told[0].wanted, 0);
}

TEST_F(DynamoDbSharedRunTest, LateWordNotHeard) {
  begin();
  run(first_->tell({.name = "first", .turn = 5, .parts = 2}));
  run(first_->tell({.name = "first", .turn = 4, .parts = 1}));
  EXPECT_EQ(run(first_->sharers()).front().parts, 2U);
}

TEST_F(DynamoDbSharedRunTest, SpeakerIsNotForgotten) {
  begin();
  const Sharer before{.name = "first", .turn = 5};
  run(first_->tell({.name = "first", .turn = 6}));
  run(second_->forget(before));
  EXPECT_EQ(run(second_->sharers()).size(), 1U);
}

// What it told last was lost on its way, say.
TEST_F(DynamoDbSharedRunTest, EarlierWordForgottenToo) {
  begin();
  run(first_->tell({.name = "first", .turn = 5}));
  run(first_->forget({.name = "first", .turn = 6}));
  EXPECT_TRUE(run(first_->sharers()).empty());
}

TEST_F(DynamoDbSharedRunTest, DamagedSharerLeftOut) {
  begin();
  run(first_->tell({.name = "first", .turn = 5}));
  const Sharer second{.name = "second", .turn = 1, .rate = 5};
  run(second_->tell(second));
  auto& item = std::ranges::find_if(items_.tables["checkpoints"], [](const auto& entry) {
                 return entry.first.second.starts_with("sharer-");
               })->second;
  for (const std::string text : {"-1", "nan", "inf", "x", "1e999", "", "1e100"}) {
    item["read_units"] = {{"N", text}};
    EXPECT_EQ(run(first_->sharers()), std::vector{second}) << text;
  }
  item["read_units"] = {{"N", "0"}};
  EXPECT_EQ(run(first_->sharers()).size(), 2U);
  item["rate"] = {{"N", "0"}};
  EXPECT_EQ(run(first_->sharers()), std::vector{second});
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_NE(notices_[0].find("the item of a sharer"), std::string::npos);
}

TEST_F(DynamoDbSharedRunTest, LastVersionIsRefused) {
  begin(1);
  ASSERT_TRUE(claim(*second_, 0));
  const auto item = [this](std::string_view prefix) -> boost::json::object& {
    return std::ranges::find_if(
               items_.tables["checkpoints"],
               [prefix](const auto& entry) { return entry.first.second.starts_with(prefix); })
        ->second;
  };
  item("segment-")["version"] = {{"N", "18446744073709551615"}};
  EXPECT_THROW(parts(*first_, 1), DamagedCheckpoint);
  item("run")["version"] = {{"N", "18446744073709551615"}};
  EXPECT_THROW(run(second_->join()), DamagedCheckpoint);
}

// By one that was killed before it had removed them.
TEST_F(DynamoDbSharedRunTest, LeftoversAreRemoved) {
  begin(2);
  run(second_->tell({.name = "second", .turn = 1}));
  for (std::uint32_t number = 0; number < 2; ++number) {
    ASSERT_TRUE(claim(*first_, number));
    run(first_->save({progress(number, 5, true)}));
  }
  const auto before = items_.tables["checkpoints"];
  ASSERT_TRUE(run(first_->finish()).has_value());
  ASSERT_EQ(items_in_table(), 1U);
  const auto leave = [&] {
    for (const auto& [key, item] : before) {
      if (key.second != "run") {
        items_.tables["checkpoints"][key] = item;
      }
    }
  };
  leave();
  EXPECT_TRUE(run(process("third")->join())->finished);
  EXPECT_EQ(items_in_table(), 1U);
  leave();
  items_.tables["checkpoints"].erase({"nightly", "run"});
  EXPECT_TRUE(run(process("fourth")->begin(example(3))));
  EXPECT_EQ(items_in_table(), 1U);
}

TEST_F(DynamoDbSharedRunTest, SharedOrNot) {
  begin();
  DynamoDbStore alone(here(), context("alone"));
  EXPECT_NE(failure_of([&] { run(alone.load()); }).find("shared by several processes"),
            std::string::npos);
  EXPECT_NE(failure_of([&] { run(alone.begin(example())); }).find("shared by several processes"),
            std::string::npos);
  items_.tables.clear();
  run(alone.begin(example()));
  EXPECT_NE(failure_of([&] { run(first_->join()); }).find("does not share it"), std::string::npos);
}

TEST_F(DynamoDbSharedRunTest, FinishedRunIsAnybodys) {
  begin(1);
  ASSERT_TRUE(claim(*first_, 0));
  EXPECT_TRUE(run(first_->save({progress(0, 5, true)})).empty());
  ASSERT_TRUE(run(first_->finish()).has_value());
  DynamoDbStore alone(here(), context("alone"));
  EXPECT_TRUE(run(alone.load())->complete());
  run(alone.begin(example()));
  EXPECT_FALSE(run(alone.load())->complete());
}

TEST_F(DynamoDbSharedRunTest, OnlyTablesAreShared) {
  for (const CheckpointLocation& other :
       {CheckpointLocation(SqliteLocation{"file"}), CheckpointLocation(SsmLocation{"/prefix"})}) {
    EXPECT_NE(failure_of([&] { open_shared_run(other, context("first")); }).find("share"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace everyitem::checkpoint
