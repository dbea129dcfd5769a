#include "pipeline/checkpoint_writer.h"

#include <stdexcept>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/owned_parts.h"

namespace everyitem::pipeline {
namespace {

using testing::ElementsAre;

/// A store whose writes end when the test says so.
class SlowStore final : public checkpoint::CheckpointStore {
 public:
  explicit SlowStore(const asio::any_io_executor& executor) : released_(executor) {}

  Awaitable<std::optional<checkpoint::RunView>> look() override { co_return std::nullopt; }
  Awaitable<std::optional<checkpoint::RunState>> load() override { co_return std::nullopt; }
  Awaitable<void> begin(checkpoint::RunState /*state*/) override { co_return; }
  Awaitable<void> save(std::vector<checkpoint::SegmentProgress> moved) override {
    std::vector<std::uint32_t>& write = writes.emplace_back();
    for (const checkpoint::SegmentProgress& segment : moved) {
      write.push_back(segment.segment);
    }
    co_await released_.wait();
    if (fails) {
      throw std::runtime_error("the disk is full");
    }
  }
  std::string location() const override { return "a test"; }

  void let_go() { released_.notify_all(); }

  std::vector<std::vector<std::uint32_t>> writes;
  bool fails = false;

 private:
  Event released_;
};

class CheckpointWriterTest : public testing::Test {
 protected:
  void save(std::uint32_t segment) {
    std::vector<checkpoint::SegmentProgress> moved(1);
    moved.front().segment = segment;
    asio::co_spawn(
        loop_, writer_.save(std::move(moved)),
        [this](const std::exception_ptr& failure, const std::vector<std::uint32_t>& lost) {
          ++(failure ? failed_ : saved_);
          EXPECT_TRUE(lost.empty());
        });
    poll();
  }
  void release() {
    store_.let_go();
    poll();
  }
  void poll() {
    loop_.restart();
    loop_.poll();
  }

  asio::io_context loop_;
  SlowStore store_{loop_.get_executor()};
  OwnedParts parts_{store_, {}};
  CheckpointWriter writer_{loop_.get_executor(), parts_};
  int saved_ = 0;
  int failed_ = 0;
};

TEST_F(CheckpointWriterTest, BusyStoreWritesTogether) {
  save(1);
  save(2);
  save(3);
  EXPECT_THAT(store_.writes, ElementsAre(ElementsAre(1)));
  EXPECT_EQ(saved_, 0);
  release();
  EXPECT_THAT(store_.writes, ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
  EXPECT_EQ(saved_, 1);
  save(4);
  release();
  EXPECT_EQ(saved_, 3);
  release();
  EXPECT_THAT(store_.writes, ElementsAre(ElementsAre(1), ElementsAre(2, 3), ElementsAre(4)));
  EXPECT_EQ(saved_, 4);
}

TEST_F(CheckpointWriterTest, NothingSavedBehindFailure) {
  store_.fails = true;
  save(1);
  save(2);
  release();
  EXPECT_EQ(failed_, 2);
  store_.fails = false;
  save(3);
  EXPECT_EQ(failed_, 3);
  EXPECT_EQ(store_.writes.size(), 1U);
}

}  // namespace
}  // namespace everyitem::pipeline
