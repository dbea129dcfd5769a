#include "pipeline/batch_queue.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_stages.h"

namespace everyitem::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kBatchItems = 3;
constexpr std::size_t kItemBytes = 20;  // and a line break in the batch

/// One segment; batches of three items.
class BatchQueueTest : public testing::Test {
 protected:
  explicit BatchQueueTest(std::size_t bound_bytes = 1'000'000)
      : queue_(loop_.get_executor(), builder_, tracker_, bound_bytes, true, keys_) {}

  /// `count` items `first`, `first` + 1, ...
  source::Items items(int first, int count) {
    std::vector<std::string> made;
    for (int i = first; i < first + count; ++i) {
      made.push_back(fmt::format(R"({{"pk":{{"S":"{:05}"}}}})", i));
      EXPECT_EQ(made.back().size(), kItemBytes);
    }
    const std::string body = fmt::format(R"({{"Items":[{}]}})", fmt::join(made, ","));
    return pages_
        .emplace_back(source::ScanPage::parse(PaddedBuffer(body), {.hash = "pk", .range = ""}))
        .items();
  }

  /// A sender that takes one batch and appends its ids to `taken_`, or "(end)".
  void take_one() {
    asio::co_spawn(loop_, take(), [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
  }
  Awaitable<void> take() {
    std::optional<batch::RecordBatch> batch = co_await queue_.take();
    if (batch) {
      taken_.push_back(fmt::format("{}", fmt::join(TestSink::ids_of(batch->body.view()), " ")));
      batches_.push_back(std::move(*batch));
    } else {
      taken_.emplace_back("(end)");
    }
  }
  /// A reader that waits for room.
  void wait_for_room() {
    asio::co_spawn(loop_, room(), [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
  }
  Awaitable<void> room() {
    co_await queue_.room();
    ++got_room_;
  }

  /// Packs as many as possible without waiting.
  Packed pack(const source::Items& some, source::PageId page) {
    Packed all;
    for (bool was_full = true; was_full;) {
      const std::size_t sealed = builder_.seals;
      const Packed packed = queue_.pack(some.from(all.items), page);
      all.items += packed.items;
      all.bytes += packed.bytes;
      all.next_too_large = packed.next_too_large;
      was_full = builder_.seals > sealed;
    }
    return all;
  }

  /// Runs until everyone waits.
  void settle() {
    loop_.restart();
    while (loop_.poll() > 0) {
    }
  }

  asio::io_context loop_;
  LineBuilder builder_{kBatchItems};
  checkpoint::AckTracker tracker_{std::vector<checkpoint::SegmentProgress>(1)};
  source::KeyNames keys_{.hash = "k", .range = ""};
  BatchQueue queue_;
  std::deque<source::ScanPage> pages_;
  std::vector<std::string> taken_;
  std::vector<batch::RecordBatch> batches_;
  int got_room_ = 0;
};

/// No room for more than one full batch.
class FullBatchQueueTest : public BatchQueueTest {
 protected:
  FullBatchQueueTest() : BatchQueueTest(kBatchItems * (kItemBytes + 1) - 1) {}
};

TEST_F(BatchQueueTest, SeparateKeysTravelAlong) {
  keys_.added.hash = true;
  pack(items(0, 4), tracker_.open_page(0));
  pack(items(4, 3), tracker_.open_page(0));
  queue_.close();
  for (int i = 0; i < 3; ++i) {
    take_one();
    settle();
  }
  int item = 0;
  for (const batch::RecordBatch& batch : batches_) {
    ASSERT_EQ(batch.separate_keys.size(), batch.items.size());
    for (const std::string& key : batch.separate_keys) {
      EXPECT_EQ(key, fmt::format(R"({{"k":{{"S":"{:05}"}}}})", item++));
    }
    EXPECT_GT(batch.memory_bytes(), batch.body.size() + batch.items.size() * kItemBytes);
  }
  EXPECT_EQ(item, 7);
}

TEST_F(BatchQueueTest, ItemKeysNotCopied) {
  pack(items(0, 3), tracker_.open_page(0));
  take_one();
  settle();
  EXPECT_THAT(batches_.at(0).separate_keys, IsEmpty());
}

TEST_F(BatchQueueTest, FullBatchesThenRest) {
  const source::PageId page = tracker_.open_page(0);
  EXPECT_EQ(pack(items(0, 8), page).items, 8U);
  queue_.close();
  for (int i = 0; i < 4; ++i) {
    take_one();
    settle();
  }
  EXPECT_THAT(taken_,
              ElementsAre("00000 00001 00002", "00003 00004 00005", "00006 00007", "(end)"));
}

TEST_F(BatchQueueTest, WaitingBatchesAreHashed) {
  const source::PageId page = tracker_.open_page(0);
  const auto together = static_cast<int>(sha256_side_by_side());
  pack(items(0, 3 * together + 1), page);  // the last one seals what is before it
  for (int i = 0; i < together; ++i) {
    take_one();
  }
  settle();
  pack(items(100, 3 * (together - 1)), page);
  for (int i = 0; i < together - 1; ++i) {
    take_one();
  }
  settle();
  ASSERT_EQ(batches_.size(), 2 * together - 1U);
  for (std::size_t i = 0; i < batches_.size(); ++i) {
    if (i < sha256_side_by_side()) {
      EXPECT_EQ(batches_[i].sha256, sha256(batches_[i].body.view()));
    } else {
      EXPECT_FALSE(batches_[i].sha256) << "too few to be hashed together";
    }
  }
}

TEST_F(BatchQueueTest, OfferedBatchMayLeave) {
  const source::PageId page = tracker_.open_page(0);
  take_one();
  settle();
  pack(items(0, 2), page);
  settle();
  EXPECT_THAT(taken_, IsEmpty()) << "the page may have more items for it";
  queue_.offer();
  settle();
  EXPECT_THAT(taken_, ElementsAre("00000 00001"));
}

TEST_F(BatchQueueTest, NothingToOffer) {
  take_one();
  settle();
  queue_.offer();
  settle();
  EXPECT_THAT(taken_, IsEmpty());
}

TEST_F(BatchQueueTest, EverySenderGetsBatch) {
  const source::PageId page = tracker_.open_page(0);
  for (int i = 0; i < 3; ++i) {
    take_one();
  }
  settle();
  pack(items(0, 9), page);
  queue_.offer();
  settle();
  EXPECT_THAT(taken_, ElementsAre("00000 00001 00002", "00003 00004 00005", "00006 00007 00008"));
}

TEST_F(BatchQueueTest, PageOpenUntilAcknowledged) {
  const source::PageId first = tracker_.open_page(0);
  const source::PageId second = tracker_.open_page(0);
  pack(items(0, 4), first);
  pack(items(4, 3), second);
  tracker_.close_page(first, {.position_after = {.last_evaluated_key = "a"}, .items = 4});
  tracker_.close_page(second, {.position_after = {.last_evaluated_key = "b"}, .items = 3});
  queue_.close();
  for (int i = 0; i < 3; ++i) {
    take_one();
  }
  settle();
  ASSERT_EQ(batches_.size(), 3U);
  using Share = batch::BatchPage;
  EXPECT_THAT(batches_[0].pages, ElementsAre(Share{first, 3}));
  EXPECT_THAT(batches_[1].pages, ElementsAre(Share{first, 1}, Share{second, 2}));
  EXPECT_THAT(batches_[2].pages, ElementsAre(Share{second, 1}));
  for (const int last : {2, 0, 1}) {
    EXPECT_EQ(tracker_.progress(0).items, 0U);
    for (const Share& share : batches_[last].pages) {
      tracker_.acknowledge(share.page);
    }
  }
  EXPECT_EQ(tracker_.progress(0).items, 7U);
}

TEST_F(FullBatchQueueTest, PackingStopsWhenFull) {
  const source::PageId page = tracker_.open_page(0);
  const auto some = items(0, 10);
  EXPECT_EQ(pack(some, page).items, 3U);
  wait_for_room();
  settle();
  EXPECT_EQ(got_room_, 0);
  EXPECT_EQ(pack(some.from(3), page).items, 0U) << "even if its batch is not full";

  take_one();
  settle();
  EXPECT_EQ(got_room_, 0) << "batches being sent are still held";
  queue_.release(batches_.at(0), kBatchItems * kItemBytes);
  settle();
  EXPECT_EQ(got_room_, 1);
  EXPECT_EQ(pack(some.from(3), page).items, 3U);
}

TEST_F(BatchQueueTest, ItemsAreBoundedToo) {
  queue_.bound_items(2 * kItemBytes);
  const source::PageId page = tracker_.open_page(0);
  const auto some = items(0, 10);
  const Packed packed = pack(some, page);
  EXPECT_EQ(packed.items, 3U);
  EXPECT_EQ(packed.bytes, 3 * kItemBytes);
  wait_for_room();
  take_one();
  settle();
  EXPECT_EQ(got_room_, 0);
  queue_.release(batches_.at(0), 3 * kItemBytes);
  settle();
  EXPECT_EQ(got_room_, 1);
  EXPECT_EQ(queue_.held_item_bytes(), 0U);
}

TEST_F(BatchQueueTest, PartialBatchIsSent) {
  take_one();
  settle();
  queue_.bound_items(1);
  const source::PageId page = tracker_.open_page(0);
  EXPECT_EQ(queue_.pack(items(0, 1), page).items, 1U);
  settle();
  EXPECT_THAT(taken_, IsEmpty()) << "nobody waits for room yet";
  EXPECT_EQ(queue_.pack(items(1, 1), page).items, 0U);
  wait_for_room();
  settle();
  EXPECT_THAT(taken_, ElementsAre("00000"));
}

TEST_F(FullBatchQueueTest, EndKeepsBatches) {
  const source::PageId page = tracker_.open_page(0);
  pack(items(0, 5), page);
  wait_for_room();
  settle();
  queue_.end_packing();
  settle();
  EXPECT_EQ(got_room_, 1);
  EXPECT_FALSE(queue_.discarded());
  queue_.close();
  take_one();
  take_one();
  settle();
  EXPECT_THAT(taken_, ElementsAre("00000 00001 00002", "(end)"));
}

TEST_F(FullBatchQueueTest, DiscardDropsBatches) {
  const source::PageId page = tracker_.open_page(0);
  pack(items(0, 5), page);
  wait_for_room();
  settle();
  queue_.discard();
  settle();
  EXPECT_TRUE(queue_.discarded());
  EXPECT_EQ(got_room_, 1);
  take_one();
  settle();
  EXPECT_THAT(taken_, ElementsAre("(end)"));
}

TEST_F(BatchQueueTest, CloseEndsAllWaits) {
  take_one();
  take_one();
  settle();
  queue_.close();
  settle();
  EXPECT_THAT(taken_, ElementsAre("(end)", "(end)"));
}

TEST_F(BatchQueueTest, DiscardEndsAllWaits) {
  take_one();
  settle();
  queue_.discard();
  settle();
  EXPECT_THAT(taken_, ElementsAre("(end)"));
}

TEST_F(BatchQueueTest, TooLargeItemReported) {
  const source::PageId page = tracker_.open_page(0);
  builder_.too_large = "00004";
  const auto some = items(0, 6);
  const Packed packed = pack(some, page);
  EXPECT_EQ(packed.items, 4U);
  EXPECT_TRUE(packed.next_too_large);
  const Packed rest = pack(some.from(5), page);
  EXPECT_EQ(rest.items, 1U);
  EXPECT_FALSE(rest.next_too_large);
  queue_.close();
  for (int i = 0; i < 3; ++i) {
    take_one();
    settle();
  }
  EXPECT_THAT(taken_, ElementsAre("00000 00001 00002", "00003 00005", "(end)"));
}

}  // namespace
}  // namespace everyitem::pipeline
