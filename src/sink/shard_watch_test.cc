#include "sink/shard_watch.h"

#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/simulated_clock.h"

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
  batch::CurrentShards shards_{one_shard("old")};
  batch::ShardMapAtOneTime first_ = shards_.newest();
  ShardWatch watch_ = ShardWatch(shards_, clock_, [this] { return list(); });
  int listed_ = 0;
  bool fails_ = false;
};

TEST_F(ShardWatchTest, OtherMapIsIgnored) {
  watch_.contradicted(std::make_shared<const batch::ShardMap>(one_shard("of another map")));
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 0);
}

TEST_F(ShardWatchTest, ContradictionReplacesMap) {
  watch_.contradicted(first_);
  refresh();
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 1);
  EXPECT_EQ(*shards_.newest(), one_shard("new"));
  watch_.contradicted(first_);
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 1);
}

TEST_F(ShardWatchTest, ListedOncePerSecond) {
  shards_.replace(one_shard("new"));
  const batch::ShardMapAtOneTime lagging = shards_.newest();
  for (int i = 0; i < 100; ++i) {
    watch_.contradicted(shards_.newest());
    refresh();
    pass(milliseconds(100));
  }
  EXPECT_GE(listed_, 9);
  EXPECT_LE(listed_, 10);
  EXPECT_EQ(shards_.newest(), lagging) << "the same map must not be replaced";
}

TEST_F(ShardWatchTest, FailureKeepsMap) {
  fails_ = true;
  watch_.contradicted(first_);
  refresh();
  pass(milliseconds(1100));
  EXPECT_EQ(shards_.newest(), first_);
  fails_ = false;
  watch_.contradicted(first_);
  refresh();
  clock_.run();
  EXPECT_EQ(listed_, 2);
  EXPECT_EQ(*shards_.newest(), one_shard("new"));
}

}  // namespace
}  // namespace everyitem::sink
