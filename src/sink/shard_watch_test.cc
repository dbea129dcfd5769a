#include "sink/shard_watch.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/simulated_clock.h"

namespace everyitem::sink {
namespace {

using std::chrono::milliseconds;

batch::ShardMap one_shard(const std::string& id) {
  return batch::ShardMap({{id, 0, batch::kLastHashKey}});
}

class ShardWatchTest : public testing::Test {
 protected:
  Awaitable<batch::ShardMap> list() {
    ++listed_;
    co_await clock_.sleep(milliseconds(10));
    if (fails_) {
      throw Error(ErrorKind::failed, {.operation = "ListShards", .message = "no"});
    }
    co_return one_shard("new");
  }

  void refresh() { asio::co_spawn(loop_, watch_.refresh(), asio::detached); }
  void pass(milliseconds time) {
    asio::co_spawn(loop_, clock_.sleep(time), asio::detached);
    clock_.run();
  }

  asio::io_context loop_ = asio::io_context(1);
  SimulatedClock clock_ = SimulatedClock(loop_);
  batch::CurrentShards shards_{.map = one_shard("old")};
  ShardWatch watch_ = ShardWatch(shards_, clock_, [this] { return list(); });
  int listed_ = 0;
  bool fails_ = false;
};

TEST_F(ShardWatchTest, WhatAgreesWithTheMapIsNoReasonToAsk) {
  watch_.taken_by(0, 0, "old");
  watch_.taken_by(7, 0, "of another map");
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 0);
}

TEST_F(ShardWatchTest, AContradictionIsAskedAboutOnceAndTheMapReplaced) {
  watch_.taken_by(0, 0, "new");
  refresh();
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 1);
  EXPECT_EQ(shards_.map.shards()[0].id, "new");
  EXPECT_EQ(shards_.version, 1U);
  watch_.taken_by(0, 0, "sent by the old map");
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 1);
}

TEST_F(ShardWatchTest, AnAnswerThatLagsBehindIsAskedForOnceASecond) {
  for (int i = 0; i < 100; ++i) {
    watch_.taken_by(shards_.version, 0, "newer still");
    refresh();
    pass(milliseconds(100));
  }
  EXPECT_GE(listed_, 9);
  EXPECT_LE(listed_, 10);
  EXPECT_EQ(shards_.version, 1U) << "the same map is no new one";
}

TEST_F(ShardWatchTest, WhereItFailsTheMapStaysAndIsAskedForAgain) {
  fails_ = true;
  watch_.taken_by(0, 0, "new");
  refresh();
  pass(milliseconds(1100));
  EXPECT_EQ(shards_.version, 0U);
  fails_ = false;
  watch_.taken_by(0, 0, "new");
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 2);
  EXPECT_EQ(shards_.version, 1U);
}

}  // namespace
}  // namespace everyitem::sink
