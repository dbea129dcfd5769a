#include "sink/shard_pace.h"

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/simulated_clock.h"

namespace everyitem::sink {
namespace {

using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr batch::HashKey kHalf = batch::HashKey{1} << 127;

batch::ShardMap two_shards(const std::string& name = "shard") {
  return batch::ShardMap({{name + " 0", 0, kHalf - 1}, {name + " 1", kHalf, batch::kLastHashKey}});
}

/// Batches that take their parts as fast as they are allowed to, in simulated time.
class ShardPaceTest : public testing::Test {
 protected:
  struct Part {
    std::string batch;
    std::chrono::nanoseconds at;
    RecordIndexes records;
  };

  static std::vector<batch::RecordLoad> of_shard(int shard, std::size_t records) {
    return std::vector<batch::RecordLoad>(
        records, {.hash_key = shard == 0 ? batch::HashKey{7} : kHalf, .bytes = 100});
  }

  Awaitable<void> deliver(std::string name, std::vector<batch::RecordLoad> loads) {
    PacedBatch paced(std::move(loads));
    RecordIndexes pending(paced.loads.size());
    std::iota(pending.begin(), pending.end(), 0U);
    while (!pending.empty()) {
      RecordIndexes taken = co_await pace_.take(paced, pending);
      EXPECT_FALSE(taken.empty());
      pace_.settle(paced, taken, {});
      parts_.push_back({name, clock_.now() - start_, std::move(taken)});
    }
  }

  void spawn(const std::string& name, std::vector<batch::RecordLoad> loads,
             asio::cancellation_slot slot = {}) {
    asio::co_spawn(loop_, deliver(name, std::move(loads)),
                   asio::bind_cancellation_slot(slot, [](const std::exception_ptr&) {}));
  }

  std::size_t records_of(const std::string& name) const {
    std::size_t records = 0;
    for (const Part& part : parts_) {
      records += part.batch == name ? part.records.size() : 0;
    }
    return records;
  }

  asio::io_context loop_ = asio::io_context(1);
  SimulatedClock clock_ = SimulatedClock(loop_);
  batch::CurrentShards shards_{two_shards()};
  ShardPace pace_ = ShardPace(loop_.get_executor(), clock_, shards_, StreamMode::provisioned);
  TimePoint start_ = clock_.now();
  std::vector<Part> parts_;
};

TEST_F(ShardPaceTest, EnoughForAll) {
  spawn("a", of_shard(0, 100));
  spawn("b", of_shard(1, 100));
  spawn("c", of_shard(0, 90));
  clock_.run();
  ASSERT_EQ(parts_.size(), 3U);
  for (const Part& part : parts_) {
    EXPECT_EQ(part.at.count(), 0) << part.batch;
  }
}

TEST_F(ShardPaceTest, TooMuchInParts) {
  spawn("a", of_shard(0, 500));
  clock_.run();
  EXPECT_EQ(records_of("a"), 500U);
  // 0.2 s were saved; the rest is sent at 980 records per second.
  EXPECT_GT(parts_.back().at, milliseconds(290));
  EXPECT_LT(parts_.back().at, milliseconds(350));
  RecordIndexes all;
  for (const Part& part : parts_) {
    all.insert(all.end(), part.records.begin(), part.records.end());
  }
  RecordIndexes rising(500);
  std::iota(rising.begin(), rising.end(), 0U);
  EXPECT_EQ(all, rising);
}

TEST_F(ShardPaceTest, FullShardBlocksNone) {
  spawn("a", of_shard(0, 1000));
  std::vector<batch::RecordLoad> both = of_shard(0, 100);
  const auto of_the_other = of_shard(1, 100);
  both.insert(both.end(), of_the_other.begin(), of_the_other.end());
  spawn("b", both);
  clock_.run();
  const auto first_of_b =
      std::ranges::find_if(parts_, [](const Part& part) { return part.batch == "b"; });
  ASSERT_NE(first_of_b, parts_.end());
  EXPECT_LE(first_of_b->at, milliseconds(25));
  RecordIndexes upper(100);
  std::iota(upper.begin(), upper.end(), 100U);
  EXPECT_EQ(first_of_b->records, upper);
  EXPECT_EQ(records_of("b"), 200U);
}

TEST_F(ShardPaceTest, FirstComeFirstServed) {
  for (const std::string name : {"a", "b", "c"}) {
    spawn(name, of_shard(0, 300));
  }
  clock_.run();
  std::vector<std::string> course;
  for (const Part& part : parts_) {
    if (course.empty() || course.back() != part.batch) {
      course.push_back(part.batch);
    }
  }
  EXPECT_THAT(course, testing::ElementsAre("a", "b", "c"));
}

TEST_F(ShardPaceTest, CancelledWaiterLeavesLine) {
  asio::cancellation_signal first;
  asio::cancellation_signal second;
  spawn("saved", of_shard(0, 190));
  spawn("a", of_shard(0, 100), first.slot());
  spawn("b", of_shard(0, 100), second.slot());
  spawn("c", of_shard(0, 100));
  loop_.poll();
  second.emit(asio::cancellation_type::terminal);
  loop_.restart();
  loop_.poll();
  first.emit(asio::cancellation_type::terminal);
  clock_.run();
  EXPECT_LT(records_of("a"), 10U) << "what the first batch had left";
  EXPECT_EQ(records_of("b"), 0U);
  EXPECT_EQ(records_of("c"), 100U);
  EXPECT_LT(parts_.back().at, milliseconds(160));
}

TEST_F(ShardPaceTest, WaitersUseNewMap) {
  spawn("a", of_shard(0, 600));
  loop_.poll();
  shards_.replace(batch::ShardMap({{"all", 0, batch::kLastHashKey}}));
  clock_.run();
  EXPECT_EQ(records_of("a"), 600U);
  EXPECT_NEAR(pace_.rate(), 0.98, 1e-9);
}

}  // namespace
}  // namespace everyitem::sink
