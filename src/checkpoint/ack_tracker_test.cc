#include "checkpoint/ack_tracker.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace everyitem::checkpoint {
namespace {

using source::PageId;

std::vector<SegmentProgress> fresh(std::uint32_t segments) {
  std::vector<SegmentProgress> start(segments);
  for (std::uint32_t i = 0; i < segments; ++i) {
    start[i].segment = i;
  }
  return start;
}

PageContent content(const std::string& key, std::uint64_t items = 1) {
  return {.position_after = {.last_evaluated_key = key}, .items = items, .bytes = 10 * items};
}

TEST(AckTracker, FrontierFollowsAcknowledgedPages) {
  AckTracker tracker(fresh(1));
  const PageId page = tracker.open_page(0);
  tracker.add_batch(page);
  tracker.close_page(page, content("a", 5));
  EXPECT_EQ(tracker.progress(0).position.last_evaluated_key, "");
  EXPECT_TRUE(tracker.drain_moved().empty());
  tracker.acknowledge(page);
  EXPECT_EQ(tracker.progress(0).position.last_evaluated_key, "a");
  EXPECT_EQ(tracker.progress(0).items, 5U);
  EXPECT_EQ(tracker.progress(0).bytes, 50U);
  EXPECT_EQ(tracker.drain_moved(), (std::vector<std::uint32_t>{0}));
  EXPECT_TRUE(tracker.drain_moved().empty());
}

TEST(AckTracker, LaterPageWaits) {
  AckTracker tracker(fresh(1));
  const PageId first = tracker.open_page(0);
  tracker.add_batch(first);
  tracker.close_page(first, content("a"));
  const PageId second = tracker.open_page(0);
  tracker.add_batch(second);
  tracker.close_page(second, content("b"));
  tracker.acknowledge(second);
  EXPECT_EQ(tracker.progress(0).position.last_evaluated_key, "");
  EXPECT_EQ(tracker.open_pages(0), 2U);
  tracker.acknowledge(first);
  EXPECT_EQ(tracker.progress(0).position.last_evaluated_key, "b");
  EXPECT_EQ(tracker.pages_passed(0), 2U);
}

TEST(AckTracker, AcknowledgedPageAwaitsClose) {
  AckTracker tracker(fresh(1));
  const PageId page = tracker.open_page(0);
  tracker.add_batch(page);
  tracker.acknowledge(page);
  EXPECT_TRUE(tracker.drain_moved().empty());
  tracker.add_batch(page);
  tracker.close_page(page, content("a"));
  EXPECT_TRUE(tracker.drain_moved().empty());
  tracker.acknowledge(page);
  EXPECT_EQ(tracker.progress(0).position.last_evaluated_key, "a");
}

TEST(AckTracker, PassedDeadLettersCount) {
  AckTracker tracker(fresh(1));
  const PageId page = tracker.open_page(0);
  tracker.add_batch(page);
  tracker.add_batch(page);
  tracker.acknowledge(page, 2);
  PageContent whole = content("a", 9);
  whole.dead_letters = 1;
  tracker.close_page(page, whole);
  EXPECT_EQ(tracker.progress(0).dead_letters, 0U);
  tracker.acknowledge(page, 4);
  EXPECT_EQ(tracker.progress(0).items, 9U);
  EXPECT_EQ(tracker.progress(0).dead_letters, 7U);
}

TEST(AckTracker, EmptyPagePassesImmediately) {
  AckTracker tracker(fresh(2));
  tracker.close_page(tracker.open_page(1), {.position_after = {.complete = true}});
  EXPECT_TRUE(tracker.progress(1).position.complete);
  EXPECT_FALSE(tracker.progress(0).position.complete);
}

TEST(AckTracker, ContinuesFromRunsPosition) {
  std::vector<SegmentProgress> start = fresh(1);
  start[0].position.last_evaluated_key = "m";
  start[0].items = 100;
  AckTracker tracker(start);
  tracker.close_page(tracker.open_page(0), content("n", 1));
  EXPECT_EQ(tracker.progress(0).items, 101U);
}

TEST(AckTracker, MisorderedCallsAreRefused) {
  AckTracker tracker(fresh(1));
  const PageId page = tracker.open_page(0);
  EXPECT_THROW(tracker.acknowledge(page), std::logic_error);
  EXPECT_THROW(tracker.add_batch({.segment = 0, .sequence = 1}), std::logic_error);
  EXPECT_THROW(tracker.open_page(1), std::out_of_range);
  tracker.add_batch(page);
  tracker.close_page(page, content("a"));
  EXPECT_THROW(tracker.add_batch(page), std::logic_error);
  EXPECT_THROW(tracker.close_page(page, content("a")), std::logic_error);
  tracker.acknowledge(page);
  EXPECT_THROW(tracker.acknowledge(page), std::logic_error);
}

// The property that the guarantee rests on, compared with a model that knows every open batch, for
// random schedules: the frontier stands right before the first page that is not wholly done.
TEST(AckTracker, NeverPassesUnacknowledgedBatch) {
  struct ModelPage {
    PageId id;
    std::uint64_t items;
    int open_batches = 0;
    bool closed = false;
  };
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    const auto segments = static_cast<std::uint32_t>(1 + random() % 4);
    AckTracker tracker(fresh(segments));
    std::vector<std::vector<ModelPage>> model(segments);
    for (int step = 0; step < 120; ++step) {
      const auto segment = static_cast<std::uint32_t>(random() % segments);
      std::vector<ModelPage>& pages = model[segment];
      switch (random() % 4) {
        case 0:
          pages.push_back({tracker.open_page(segment), 1 + random() % 9});
          break;
        case 1:
        case 2:
          if (!pages.empty()) {
            ModelPage& page = pages[random() % pages.size()];
            if (!page.closed && random() % 3 > 0) {
              tracker.add_batch(page.id);
              ++page.open_batches;
            } else if (!page.closed) {
              page.closed = true;
              tracker.close_page(page.id, content(std::to_string(page.id.sequence), page.items));
            }
          }
          break;
        default:
          if (!pages.empty()) {
            ModelPage& page = pages[random() % pages.size()];
            if (page.open_batches > 0) {
              tracker.acknowledge(page.id);
              --page.open_batches;
            }
          }
      }
      for (std::uint32_t i = 0; i < segments; ++i) {
        std::string expected_key;
        std::uint64_t expected_items = 0;
        const auto& of_segment = model[i];
        const auto first_open = std::ranges::find_if(of_segment, [](const ModelPage& page) {
          return !page.closed || page.open_batches > 0;
        });
        for (auto page = of_segment.begin(); page != first_open; ++page) {
          expected_key = std::to_string(page->id.sequence);
          expected_items += page->items;
        }
        ASSERT_EQ(tracker.progress(i).position.last_evaluated_key, expected_key) << "seed " << seed;
        ASSERT_EQ(tracker.progress(i).items, expected_items) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace everyitem::checkpoint
