// Runs in simulated time whose destination is slower than the source, or silent: what is read
// ahead, in which order, and how they stop.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkpoint/dynamodb_store.h"
#include "checkpoint/side_by_side.h"
#include "pipeline/owned_parts.h"
#include "pipeline/pipeline.h"
#include "source/page_reader.h"
#include "support/simulated_clock.h"
#include "support/test_stages.h"

namespace everyitem::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kPageItems = 50;

/// One process of a run: 64 segments of a table by default, each page after 100 ms.
struct Setup {
  std::size_t segments = 64;
  std::size_t pages = 12;  ///< of each segment
  std::size_t page_items = kPageItems;
  std::size_t item_bytes = 20'000;  ///< so that a page has 1 MB
  milliseconds read_latency{100};
  bool pages_can_be_cut = true;
  double bytes_per_second = 400'000;        ///< of the destination
  double bytes_per_second_at_first = 50e6;  ///< for as long as `fast_for`
  nanoseconds fast_for = nanoseconds::zero();
  nanoseconds silent_after = nanoseconds::max();  ///< the destination answers no more
  bool deliveries_can_be_cancelled = true;
  bool part_by_part = true;
  nanoseconds store_silent_after = nanoseconds::max();
  std::string too_large = {};  ///< what an item holds that the destination cannot take
  nanoseconds letters_silent_after = nanoseconds::max();
  std::optional<nanoseconds> stop_after = {};
  std::size_t lanes = 1;
  std::vector<checkpoint::SegmentProgress> start = {};
};

constexpr seconds kForever{1'000'000};

class SlowRun {
 public:
  explicit SlowRun(Setup run_setup)
      : setup(std::move(run_setup)),
        source(*this),
        sink(*this),
        store(*this),
        letters(*this),
        began(clock.now()) {
    for (std::uint32_t i = static_cast<std::uint32_t>(setup.start.size()); i < setup.segments;
         ++i) {
      setup.start.push_back({.segment = i});
    }
    saved = setup.start;
    owned.emplace(store, setup.start);
    PipelineParts parts{.lanes = {}, .dead_letters = &letters, .parts = *owned, .clock = clock};
    for (std::size_t i = 0; i < setup.lanes; ++i) {
      builders.push_back(std::make_unique<LineBuilder>(5));
      builders.back()->too_large = setup.too_large;
      parts.lanes.push_back({.executor = loop.get_executor(),
                             .source = source,
                             .builder = *builders.back(),
                             .sink = sink});
    }
    pipeline = std::make_unique<Pipeline>(loop.get_executor(), std::move(parts),
                                          start_of(setup.start), PipelineLimits(), std::nullopt);
  }

  void run() {
    asio::co_spawn(loop, pipeline->run(), [this](const std::exception_ptr& failure, RunStatus how) {
      failed = failure != nullptr;
      status = how;
      ended = clock.now();
    });
    const auto stop = [this]() -> Awaitable<void> {
      co_await clock.sleep(*setup.stop_after);
      stopped = clock.now();
      pipeline->stop();
    };
    if (setup.stop_after) {
      asio::co_spawn(loop, stop(), [](const std::exception_ptr&) {});
    }
    clock.run();
    ASSERT_TRUE(ended) << "it hangs";
    EXPECT_FALSE(failed);
  }

  nanoseconds took_to_stop() const { return *ended - *stopped; }
  std::size_t items_saved() const {
    std::size_t items = 0;
    for (const auto& segment : saved) {
      items += segment.items;
    }
    return items;
  }
  std::size_t segments_touched() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(pages_asked, [](const auto& asked) { return asked.second > 0; }));
  }
  std::size_t all_items() const { return setup.pages * setup.page_items; }  // of each segment
  bool silent(nanoseconds after) const {
    return after != nanoseconds::max() && clock.now() - began >= after;
  }

  class Reader final : public source::PageReader {
   public:
    Reader(SlowRun& run, std::uint32_t segment, source::ScanPosition position)
        : run_(run), segment_(segment), position_(std::move(position)) {
      if (!position_.last_evaluated_key.empty()) {
        next_ = 1 + number_of(position_.last_evaluated_key);
      }
    }
    Awaitable<source::ScanPage> next(std::optional<std::uint64_t>, aws::Pacer*) override {
      ++run_.pages_asked[segment_];
      run_.max_asked = std::max(run_.max_asked, ++run_.being_asked);
      co_await run_.clock.sleep(run_.setup.read_latency);
      --run_.being_asked;
      const std::string text(run_.setup.item_bytes, 'x');
      const std::size_t end = std::min(next_ + run_.setup.page_items, run_.all_items());
      PaddedBuffer body;
      body.reserve(run_.setup.page_items * (text.size() + 50));
      body.append(R"({"Items":[)");
      for (std::size_t i = next_; i < end; ++i) {
        body.append(i == next_ ? "" : ",");
        body.append(fmt::format(R"({{"pk":{{"S":"{}.{}"}},"t":{{"S":")", segment_, i));
        body.append(text);
        body.append("\"}}");
      }
      body.append(fmt::format(R"(],"Count":{0},"ScannedCount":{0}}})", end - next_));
      body.finish();
      next_ = end;
      position_ = key_of(segment_, next_ - 1);
      if (next_ == run_.all_items()) {
        position_ = {.complete = true};
      }
      co_return source::ScanPage::parse(std::move(body), {.hash = "pk", .range = {}});
    }
    const source::ScanPosition& position() const override { return position_; }

    static source::ScanPosition key_of(std::uint32_t segment, std::size_t item) {
      return {.last_evaluated_key = fmt::format(R"({{"pk":{{"S":"{}.{}"}}}})", segment, item)};
    }
    static std::size_t number_of(const std::string& key) {
      const std::string id(boost::json::parse(key).at("pk").at("S").as_string());
      return std::stoul(id.substr(id.find('.') + 1));
    }

   private:
    SlowRun& run_;
    std::uint32_t segment_;
    source::ScanPosition position_;
    std::size_t next_ = 0;
  };

  struct Source final : source::PartSource {
    explicit Source(SlowRun& run) : run_(run) {}
    std::unique_ptr<source::PageReader> open(std::uint32_t part,
                                             source::ScanPosition position) override {
      return std::make_unique<Reader>(run_, part, std::move(position));
    }
    const source::KeyNames& keys() const override { return keys_; }
    std::optional<source::ScanPosition> position_after(const source::Item& item) const override {
      return run_.setup.pages_can_be_cut ? source::position_behind(item, keys_) : std::nullopt;
    }
    std::optional<std::uint64_t> page_limit(std::uint64_t items) const override { return items; }

   private:
    SlowRun& run_;
    source::KeyNames keys_{.hash = "pk", .range = {}};
  };

  /// Takes one batch after the other.
  struct Sink final : sink::Sink {
    explicit Sink(SlowRun& run) : run_(run), free_at_(run.clock.now()) {}
    Awaitable<std::vector<sink::RefusedItem>> deliver(const batch::RecordBatch& batch) override {
      if (!run_.setup.deliveries_can_be_cancelled) {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      }
      const Ids ids = TestSink::ids_of(batch.body.view());
      run_.received.insert(ids.begin(), ids.end());
      const double pace = run_.clock.now() - run_.began < run_.setup.fast_for
                              ? run_.setup.bytes_per_second_at_first
                              : run_.setup.bytes_per_second;
      const auto takes = std::chrono::duration_cast<nanoseconds>(
          std::chrono::duration<double>(static_cast<double>(batch.body.size()) / pace));
      free_at_ = std::max(free_at_, run_.clock.now()) + takes;
      co_await run_.clock.sleep(free_at_ - run_.clock.now());
      if (run_.silent(run_.setup.silent_after)) {
        co_await run_.clock.sleep(kForever);
      }
      run_.acknowledged.insert(ids.begin(), ids.end());
      co_return std::vector<sink::RefusedItem>{};
    }
    std::size_t max_batches_in_flight() const override { return 8; }
    bool wants_part_by_part() const override { return run_.setup.part_by_part; }

   private:
    SlowRun& run_;
    std::chrono::steady_clock::time_point free_at_;
  };

  struct Store final : checkpoint::CheckpointStore {
    explicit Store(SlowRun& run) : run_(run) {}
    Awaitable<std::optional<checkpoint::RunView>> look() override { co_return std::nullopt; }
    Awaitable<std::optional<checkpoint::RunState>> load() override { co_return std::nullopt; }
    Awaitable<void> begin(checkpoint::RunState) override { co_return; }
    Awaitable<void> save(std::vector<checkpoint::SegmentProgress> moved) override {
      const auto put = [this](const checkpoint::SegmentProgress&) {
        return run_.clock.sleep(milliseconds(5));
      };
      co_await checkpoint::work_side_by_side(moved, checkpoint::DynamoDbStore::kMaxWritesAtOnce,
                                             put);
      if (run_.silent(run_.setup.store_silent_after)) {
        co_await run_.clock.sleep(kForever);
      }
      for (checkpoint::SegmentProgress& segment : moved) {
        const std::size_t end = segment.position.complete
                                    ? run_.all_items()
                                    : 1 + Reader::number_of(segment.position.last_evaluated_key);
        EXPECT_EQ(segment.items, end);
        EXPECT_TRUE(run_.acknowledged.contains(fmt::format("{}.{}", segment.segment, end - 1)) ||
                    run_.setup.start.at(segment.segment).items == end);
        run_.saved.at(segment.segment) = std::move(segment);
      }
    }
    Awaitable<void> flush() override {
      if (run_.silent(run_.setup.store_silent_after)) {
        co_await run_.clock.sleep(kForever);
      }
    }
    std::string location() const override { return "a test"; }

   private:
    SlowRun& run_;
  };

  struct Letters final : sink::DeadLetters {
    explicit Letters(SlowRun& run) : run_(run) {}
    Awaitable<void> write(std::vector<sink::DeadLetter> written) override {
      if (run_.silent(run_.setup.letters_silent_after)) {
        co_await run_.clock.sleep(kForever);
      }
      run_.letters_written += written.size();
    }

   private:
    SlowRun& run_;
  };

  Setup setup;
  asio::io_context loop;
  SimulatedClock clock{loop};
  Source source;
  Sink sink;
  Store store;
  Letters letters;
  std::size_t letters_written = 0;
  std::vector<std::unique_ptr<LineBuilder>> builders;
  std::optional<OwnedParts> owned;
  std::unique_ptr<Pipeline> pipeline;
  std::chrono::steady_clock::time_point began;
  std::optional<std::chrono::steady_clock::time_point> stopped;
  std::optional<std::chrono::steady_clock::time_point> ended;
  RunStatus status = RunStatus::complete;
  bool failed = false;
  std::map<std::uint32_t, std::size_t> pages_asked;
  std::size_t being_asked = 0;
  std::size_t max_asked = 0;
  std::multiset<std::string> received;
  std::multiset<std::string> acknowledged;
  std::vector<checkpoint::SegmentProgress> saved;
};

constexpr nanoseconds kMaxStop = StopLimits().delivering + StopLimits().saving;

TEST(SlowDestination, StopsWithoutRepeats) {
  for (int i = 0; i < 10; ++i) {
    const nanoseconds stop_after = seconds(4) + milliseconds(1'370) * i * i / 4;
    SCOPED_TRACE(fmt::format("stopped after {} ms", stop_after.count() / 1'000'000));
    SlowRun run({.stop_after = stop_after, .lanes = i % 2 == 0 ? 1U : 2U});
    run.run();
    EXPECT_EQ(run.status, RunStatus::interrupted);
    EXPECT_LE(run.took_to_stop(), StopLimits().delivering);
    EXPECT_EQ(run.pipeline->backlog().items, 0U);
    EXPECT_EQ(run.received, run.acknowledged);
    EXPECT_EQ(run.items_saved(), run.acknowledged.size());
  }
}

TEST(SlowDestination, StopSaysHowLong) {
  SlowRun run({.stop_after = seconds(30)});
  Backlog left;
  const auto look = [&]() -> Awaitable<void> {
    co_await run.clock.sleep(seconds(30) - nanoseconds(1));
    left = run.pipeline->backlog();
  };
  asio::co_spawn(run.loop, look(), [](const std::exception_ptr&) {});
  run.run();
  EXPECT_GT(left.items, 40U);  // 2 s
  const std::chrono::duration<double> took = run.took_to_stop();
  EXPECT_NEAR(left.time.count(), took.count(), 1);
}

TEST(SlowDestination, RoundsKeepTheirWork) {
  for (const bool can_be_cut : {true, false}) {
    SCOPED_TRACE(can_be_cut);
    SlowRun run({.pages_can_be_cut = can_be_cut, .stop_after = seconds(60)});
    run.run();
    // 60 s at 20 items per second.
    EXPECT_GT(run.acknowledged.size(), 1'150U);
    EXPECT_GE(run.items_saved() + (can_be_cut ? 0 : kPageItems), run.acknowledged.size());
  }
}

// As long as there is room, pages are packed side by side.
TEST(SlowDestination, SlowedRoundKeepsWork) {
  for (int i = 1; i <= 20; ++i) {
    const seconds stop_after(6 * i);
    SCOPED_TRACE(fmt::format("stopped after {} s", stop_after.count()));
    SlowRun run({.segments = 16,
                 .pages = 60,
                 .pages_can_be_cut = false,
                 .fast_for = seconds(5),
                 .stop_after = stop_after});
    run.run();
    EXPECT_EQ(run.status, RunStatus::interrupted);
    EXPECT_GT(run.acknowledged.size(), 12'000U) << "most of it while the destination was fast";
    EXPECT_GE(run.items_saved() + kPageItems, run.acknowledged.size());
  }
}

TEST(SlowDestination, PartsInTurn) {
  SlowRun run({.pages = 4, .stop_after = seconds(60)});
  run.run();
  const auto complete = std::ranges::count_if(
      run.saved, [](const auto& segment) { return segment.position.complete; });
  // 24 MB are delivered, and 2 MB are read ahead.
  EXPECT_GE(complete, 5);
  EXPECT_LE(run.segments_touched(), 9U);
}

TEST(SlowDestination, PartsTogether) {
  SlowRun run({.pages = 4, .part_by_part = false, .stop_after = seconds(60)});
  run.run();
  EXPECT_GE(run.segments_touched(), 20U);
}

TEST(SlowDestination, FewWastedPages) {
  SlowRun run({.stop_after = seconds(60)});
  run.run();
  const std::size_t packed = run.received.size() / kPageItems;
  EXPECT_LE(run.pipeline->counters().pages_read, packed + 4);
}

TEST(SlowDestination, FastTakesAllParts) {
  SlowRun run({.pages = 10, .bytes_per_second = 1e10, .lanes = 2});
  run.run();
  EXPECT_EQ(run.status, RunStatus::complete);
  EXPECT_EQ(run.max_asked, 64U);
  const std::chrono::duration<double> took = *run.ended - run.began;
  EXPECT_LE(took.count(), 10 * 0.1 + 0.7);
}

TEST(SlowDestination, FewLargePages) {
  // A page of lists of NULL: 1 MB for DynamoDB, and 7.2 MB of JSON.
  SlowRun run({.segments = 32,
               .pages = 2,
               .page_items = 4,
               .item_bytes = 1'800'000,
               .bytes_per_second = 1e10});
  run.run();
  EXPECT_EQ(run.status, RunStatus::complete);
  EXPECT_LE(run.max_asked * 7'200'000, PipelineLimits().page_bytes);
  EXPECT_GE(run.max_asked, 8U);
}

TEST(SlowDestination, CheckpointNeverCapsReading) {
  SlowRun run({.segments = 256,
               .pages = 20,
               .page_items = 1,
               .item_bytes = 100,
               .read_latency = milliseconds(20),
               .bytes_per_second = 1e9});
  run.run();
  // 64 requests at a time can read 3,200 pages per second; one write after the other, of 5 ms each,
  // would save 200 of them.
  const std::chrono::duration<double> took = *run.ended - run.began;
  EXPECT_GT(256 * 20 / took.count(), 2'000);
}

TEST(SlowDestination, StopDespiteSilence) {
  SlowRun run({.silent_after = seconds(10), .stop_after = seconds(20)});
  run.run();
  EXPECT_EQ(run.status, RunStatus::interrupted);
  EXPECT_LE(run.took_to_stop(), kMaxStop);
  EXPECT_GE(run.pipeline->backlog().items, run.received.size() - run.acknowledged.size());
  EXPECT_GT(run.received.size(), run.acknowledged.size());
  EXPECT_LE(run.items_saved(), run.acknowledged.size());

  SlowRun next({.bytes_per_second = 1e9, .start = run.saved});
  next.run();
  EXPECT_EQ(next.status, RunStatus::complete);
  EXPECT_EQ(run.items_saved() + next.acknowledged.size(), std::size_t{64} * 12 * kPageItems);
}

TEST(SlowDestination, UncancellableDeliveriesLast) {
  // Half a second for each of 60 batches that are packed before it shows how slow it is.
  SlowRun run({.item_bytes = 1'000,
               .bytes_per_second = 10'000,
               .deliveries_can_be_cancelled = false,
               .stop_after = seconds(1)});
  run.run();
  EXPECT_EQ(run.status, RunStatus::interrupted);
  EXPECT_EQ(run.received, run.acknowledged);
  EXPECT_LE(run.took_to_stop(), StopLimits().delivering + seconds(5)) << "8 batches were under way";
}

TEST(SlowDestination, SilentDeadLettersStop) {
  SlowRun run({.bytes_per_second = 4'000'000,
               .too_large = ".7\"}",
               .letters_silent_after = seconds(3),
               .stop_after = seconds(20)});
  run.run();
  EXPECT_EQ(run.status, RunStatus::interrupted);
  EXPECT_GT(run.letters_written, 0U);
  EXPECT_LE(run.took_to_stop(), kMaxStop);
  EXPECT_LE(run.items_saved(), run.acknowledged.size() + run.letters_written);
}

TEST(SlowDestination, StopDespiteSilentStore) {
  for (const std::size_t lanes : {1U, 3U}) {
    SlowRun run({.bytes_per_second = 4'000'000,
                 .store_silent_after = seconds(10),
                 .stop_after = seconds(20),
                 .lanes = lanes});
    run.run();
    EXPECT_EQ(run.status, RunStatus::interrupted);
    EXPECT_LE(run.took_to_stop(), kMaxStop);
  }
}

}  // namespace
}  // namespace everyitem::pipeline
