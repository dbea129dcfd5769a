#include "pipeline/pipeline.h"

#include <algorithm>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sink/sink.h"
#include "support/test_stages.h"

namespace everyitem::pipeline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAreArray;

constexpr std::uint64_t kSeeds = 120;

/// Shapes and bounds of every kind, small enough to be met in a small table.
RunSetup random_setup(std::uint64_t seed) {
  Dice dice(seed + 1'000'000);
  RunSetup setup{.table = TestTable::random(dice), .seed = seed};
  setup.limits = {.segments_at_once = dice.roll(1, 5),
                  .pages_at_once = dice.roll(1, 4),
                  .unsaved_pages_per_segment = dice.roll(1, 3),
                  .batch_bytes = dice.roll(1, 400)};
  setup.batch_items = dice.roll(1, 9);
  setup.batches_in_flight = dice.roll(1, 4);
  setup.lanes =
      std::min({dice.roll(1, 3), setup.limits.segments_at_once, setup.limits.pages_at_once});
  return setup;
}

Error failure_of(std::string message) {
  return Error(ErrorKind::failed, {.operation = "test", .message = std::move(message)});
}

/// Throws at the `chosen`-th call.
std::function<void(std::size_t)> fail_at(std::size_t chosen, const std::string& message) {
  return [=](std::size_t number) {
    if (number == chosen) {
      throw failure_of(message);
    }
  };
}

/// Fails unless the items of two runs together are all of the table's.
void expect_nothing_missed(const TestTable& table, const std::multiset<std::string>& first,
                           const std::multiset<std::string>& second) {
  for (const std::string& id : table.all()) {
    EXPECT_TRUE(first.contains(id) || second.contains(id)) << id << " is missing";
  }
}

std::vector<std::string> in_both(const std::multiset<std::string>& first,
                                 const std::multiset<std::string>& second) {
  std::vector<std::string> both;
  std::ranges::set_intersection(first, second, std::back_inserter(both));
  return both;
}

bool all_complete(const std::vector<checkpoint::SegmentProgress>& segments) {
  return std::ranges::all_of(segments,
                             [](const auto& segment) { return segment.position.complete; });
}

// Undisturbed

TEST(Pipeline, DeliversOnceUnordered) {
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    TestRun run(random_setup(seed));
    const Ending ending = run.run();
    EXPECT_EQ(ending.status, RunStatus::complete) << ending.error();
    const Ids all = run.setup.table.all();
    EXPECT_EQ(run.sink.acknowledged, std::multiset<std::string>(all.begin(), all.end()));
    EXPECT_TRUE(all_complete(run.store.state));

    const RunCounters counters = run.pipeline.counters();
    EXPECT_EQ(counters.items_delivered, all.size());
    EXPECT_EQ(counters.items_scanned, all.size());
    EXPECT_EQ(counters.pages_read, run.asked.size());
    EXPECT_EQ(counters.batches_delivered, run.sink.deliveries);
    EXPECT_EQ(counters.segments_complete, run.setup.table.segments.size());
  }
}

TEST(Pipeline, WanderingPartsLoseNothing) {
  std::map<PartEnd, std::size_t> ends;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RunSetup setup = random_setup(seed);
    setup.shared = true;
    TestRun run(setup);
    const Ending ending = run.run();
    EXPECT_EQ(ending.status, RunStatus::complete) << ending.error();
    const Ids all = run.setup.table.all();
    const std::set<std::string> delivered(run.sink.acknowledged.begin(),
                                          run.sink.acknowledged.end());
    EXPECT_EQ(delivered, std::set<std::string>(all.begin(), all.end()));
    EXPECT_TRUE(all_complete(run.store.state));
    EXPECT_TRUE(run.wandering.taken.empty());
    for (const auto& [why, count] : run.wandering.ends) {
      ends[why] += count;
    }
  }
  EXPECT_GT(ends[PartEnd::lost], 100U);
  EXPECT_GT(ends[PartEnd::returned], 100U);
}

TEST(Pipeline, EmptyPagesAreCheckpointed) {
  TestRun run({.table = TestTable::of({{0, 0, 3, 0, 0}, {0}, {0, 0}})});
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 3U);
  EXPECT_EQ(run.asked.size(), 8U);
  EXPECT_TRUE(all_complete(run.store.state));
}

TEST(Pipeline, SegmentsAwaitTheirTurn) {
  std::vector<std::vector<std::size_t>> shape(30, {4, 4, 4});
  TestRun run({.table = TestTable::of(shape), .limits = {.segments_at_once = 3}});
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 360U);
}

TEST(Pipeline, MomentaryFailureIsRetried) {
  TestRun run({.table = TestTable::of({{5, 5, 5}, {5, 5}})});
  run.fates[{0, 1}] = TestRun::refusal("ProvisionedThroughputExceededException");
  run.fates[{1, 0}] = http::answer("", "503 Service Unavailable");
  run.on_scan = [&](std::size_t number) {
    if (number == 12) {
      run.fates.clear();
    }
  };
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 25U);
  EXPECT_GE(run.asked.size(), 12U);
}

// The read budget

TEST(Pipeline, ReadRateSmallPages) {
  TestRun run({.table = TestTable::of({{80, 80}, {80, 40}, {40, 0, 80}}),
               .read_rate = 2,
               .units_per_item = 0.5});
  const auto began = run.service.clock.now();
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 400U);
  EXPECT_DOUBLE_EQ(run.pipeline.counters().read_units, 200);
  const std::chrono::duration<double> took = run.service.clock.now() - began;
  EXPECT_GE(took.count(), 200 / 2.0 - 8 / 2.0) << "the last page may be paid for afterwards";
  EXPECT_LE(took.count(), 200 / 2.0 + 1);
  // 16 items cost 16 times the smallest charge, and half a charge is left out for rounding.
  EXPECT_TRUE(std::ranges::all_of(
      run.asked, [](const auto& page) { return page.limit && *page.limit <= 17; }));
}

TEST(Pipeline, UnmeasuredRateEndsRun) {
  TestRun run({.table = TestTable::of({{3}, {2}}), .read_rate = 10});
  EXPECT_THAT(run.run().error(), HasSubstr("ConsumedCapacity"));
  EXPECT_TRUE(run.sink.received.empty());
}

TEST(Pipeline, ThrottledRequestBlocksNobody) {
  TestRun run({.table = TestTable::of({{2, 2}, {4, 4, 4}, {4, 4}}),
               .limits = {.pages_at_once = 1},
               .read_rate = 2,
               .units_per_item = 0.5});
  run.fates[{0, 0}] = TestRun::refusal("ProvisionedThroughputExceededException");
  run.on_scan = [&](std::size_t) {
    if (run.sink.acknowledged.size() == 20) {
      run.fates.clear();
    }
  };
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 24U);
}

TEST(Pipeline, StopEndsRateWait) {
  TestRun run({.table = TestTable::of({{80, 80}, {80, 40}, {40, 0, 80}}),
               .read_rate = 2,
               .units_per_item = 0.5});
  run.on_scan = [&](std::size_t number) {
    if (number == 9) {
      run.pipeline.stop();
    }
  };
  EXPECT_EQ(run.run().status, RunStatus::interrupted);
  EXPECT_LE(run.sink.acknowledged.size(), 9 * 17U);
}

// Resuming

TEST(Pipeline, ResumesWhereSegmentsStand) {
  RunSetup setup{.table = TestTable::of({{3, 3, 3}, {2, 2}, {4, 4, 0}, {5}})};
  setup.start = {
      {.segment = 0, .position = {.last_evaluated_key = Place{.page = 1}.key()}, .items = 3},
      {.segment = 1, .position = {.complete = true}, .items = 4},
      {.segment = 2,
       .position = {.last_evaluated_key = Place{.page = 1, .item = 2}.key()},
       .items = 6},
      {.segment = 3}};
  TestRun run(setup);
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_THAT(
      run.sink.acknowledged,
      UnorderedElementsAreArray({"0.1.0", "0.1.1", "0.1.2", "0.2.0", "0.2.1", "0.2.2", "2.1.2",
                                 "2.1.3", "3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.0.4"}));
  EXPECT_TRUE(std::ranges::none_of(run.asked, [](const auto& page) { return page.segment == 1; }));
  EXPECT_EQ(run.store.state[0].items, 9U);
  EXPECT_EQ(run.pipeline.counters().segments_complete, 4U);
}

TEST(Pipeline, CompleteRunReadsNothing) {
  RunSetup setup{.table = TestTable::of({{3}, {2}})};
  setup.start = {{.segment = 0, .position = {.complete = true}, .items = 3},
                 {.segment = 1, .position = {.complete = true}, .items = 2}};
  TestRun run(setup);
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_TRUE(run.asked.empty());
  EXPECT_EQ(run.store.saves, 0U);
}

TEST(Pipeline, KillMissesNothing) {
  struct Kill {
    std::vector<checkpoint::SegmentProgress> saved;
    std::multiset<std::string> received;
  };
  std::size_t kills_tried = 0;
  for (std::uint64_t seed = 0; seed < 20 && !testing::Test::HasFailure(); ++seed) {
    std::vector<Kill> kills;
    TestRun first(random_setup(seed));
    first.store.on_save = [&](std::size_t) {
      kills.push_back({first.store.state, first.sink.received});
    };
    first.run();
    kills.push_back({first.store.state, first.sink.received});
    for (std::size_t k = 0; k < kills.size(); ++k) {
      SCOPED_TRACE(fmt::format("seed {}, save {}", seed, k));
      const Kill& kill = kills[k];
      RunSetup setup = first.setup;
      setup.start = kill.saved;
      setup.seed = 1000 * seed + k;
      TestRun second(setup);
      EXPECT_EQ(second.run().status, RunStatus::complete);
      EXPECT_EQ(
          second.sink.acknowledged.size(),
          std::set<std::string>(second.sink.acknowledged.begin(), second.sink.acknowledged.end())
              .size());
      expect_nothing_missed(setup.table, kill.received, second.sink.acknowledged);
      for (const std::string& id : in_both(kill.received, second.sink.acknowledged)) {
        std::size_t segment = 0;
        std::size_t page = 0;
        ASSERT_EQ(std::sscanf(id.c_str(), "%zu.%zu", &segment, &page), 2);
        EXPECT_LT(page - pages_before(setup.table, kill.saved[segment]),
                  setup.limits.unsaved_pages_per_segment)
            << id << " is repeated";
      }
      ++kills_tried;
    }
  }
  EXPECT_GT(kills_tried, 100U);
}

// What a store does by itself

TEST(Pipeline, DeferredSavesWrittenOnce) {
  TestRun run({.table = TestTable::of({{3, 2}, {4}})});
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.store.flushes, 1U);
}

TEST(Pipeline, UnwrittenDeferredSavesReported) {
  TestRun run({.table = TestTable::of({{3, 2}, {4}})});
  run.store.flush_fails = true;
  EXPECT_EQ(run.run().error(), "what was put off cannot be written");
}

TEST(Pipeline, AcknowledgedIsWritten) {
  TestRun run({.table = TestTable::of({{3, 2, 5, 5, 5}, {4}})});
  run.sink.fate = [](std::size_t number) {
    if (number == 2) {
      throw std::runtime_error("the stream has gone");
    }
  };
  run.store.flush_fails = true;
  EXPECT_EQ(run.run().error(), "the stream has gone");
  EXPECT_EQ(run.store.flushes, 1U);
}

TEST(Pipeline, LostRunEnds) {
  TestRun run({.table = TestTable::of({{3, 2, 5, 5, 5, 5, 5, 5}, {4, 5, 5, 5, 5, 5}})});
  run.sink.on_deliver = [&](std::size_t number) {
    if (number == 2) {
      run.store.keep_fails = true;
      run.store.go_on();
    }
  };
  EXPECT_EQ(run.run().error(), "the run was taken over");
  EXPECT_LT(run.asked.size(), 14U) << "it read on";
}

// Stopping

TEST(Pipeline, StopAnytimeRepeatsNothing) {
  std::size_t interrupted = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    TestRun first(random_setup(seed));
    const auto stop_at = [&](std::size_t chosen) {
      return [&first, chosen](std::size_t number) {
        if (number == chosen) {
          // Not from within the pipeline's own work.
          asio::post(first.service.loop, [&first] { first.pipeline.stop(); });
        }
      };
    };
    Dice dice(seed);
    const std::size_t chosen = dice.roll(1, 8);
    switch (dice.roll(0, 2)) {
      case 0:
        first.on_scan = stop_at(chosen);
        break;
      case 1:
        first.sink.on_deliver = stop_at(chosen);
        break;
      default:
        first.store.on_save = stop_at(chosen);
        break;
    }
    const Ending ending = first.run();
    ASSERT_TRUE(ending.status) << ending.error();
    EXPECT_EQ(ending.status,
              all_complete(first.store.state) ? RunStatus::complete : RunStatus::interrupted);
    interrupted += ending.status == RunStatus::interrupted ? 1 : 0;
    EXPECT_EQ(first.sink.received, first.sink.acknowledged);

    TestRun second(first.resumed());
    EXPECT_EQ(second.run().status, RunStatus::complete);
    expect_nothing_missed(first.setup.table, first.sink.acknowledged, second.sink.acknowledged);
    EXPECT_THAT(in_both(first.sink.acknowledged, second.sink.acknowledged), testing::IsEmpty());
  }
  EXPECT_GT(interrupted, kSeeds / 4);
}

TEST(Pipeline, StopEndsPageWait) {
  TestRun run({.table = TestTable::of({{3, 3}, {3, 3}})});
  run.fates[{1, 1}] = "";
  run.start();
  run.until_idle();
  EXPECT_FALSE(run.ending.has_value());
  run.pipeline.stop();
  EXPECT_EQ(run.finish().status, RunStatus::interrupted);
  EXPECT_EQ(run.sink.acknowledged.size(), 9U);
  EXPECT_TRUE(run.store.state[0].position.complete);
  EXPECT_EQ(run.store.state[1].position.last_evaluated_key, Place{.page = 1}.key());
}

// A machine may be paused between the two, and then does both at once.
TEST(Pipeline, LateStopEndsAll) {
  TestRun run({.table = TestTable::of({{3, 3}, {3}}), .shared = true});
  run.fates[{0, 1}] = "";
  run.start();
  run.until_idle();
  run.pipeline.stop();
  run.service.clock.advance(StopLimits().delivering);
  EXPECT_EQ(run.finish().status, RunStatus::interrupted);
}

TEST(Pipeline, StopDuringThrottling) {
  TestRun run({.table = TestTable::of({{3, 3}})});
  run.fates[{0, 1}] = TestRun::refusal("ProvisionedThroughputExceededException");
  run.on_scan = [&](std::size_t number) {
    if (number == 50) {
      run.pipeline.stop();
    }
  };
  EXPECT_EQ(run.run().status, RunStatus::interrupted);
  EXPECT_EQ(run.sink.acknowledged.size(), 3U);
}

TEST(Pipeline, EarlyStopReadsNothing) {
  TestRun run({.table = TestTable::of({{3}})});
  run.pipeline.stop();
  EXPECT_EQ(run.run().status, RunStatus::interrupted);
  EXPECT_TRUE(run.asked.empty());
}

// A number of items

TEST(Pipeline, ItemLimitIsExact) {
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RunSetup setup = random_setup(seed);
    const std::size_t items = setup.table.all().size();
    if (items < 2) {
      continue;
    }
    setup.item_limit = Dice(seed).roll(1, items - 1);
    setup.lanes = 1;
    setup.filtered = seed % 2 == 1;
    TestRun first(setup);
    const Ending ending = first.run();
    EXPECT_EQ(ending.status, RunStatus::limit_reached) << ending.error();
    EXPECT_EQ(first.sink.acknowledged.size(), *setup.item_limit);
    for (const auto& page : first.asked) {
      EXPECT_EQ(page.limit.has_value(), !setup.filtered);
    }

    TestRun second(first.resumed());
    EXPECT_EQ(second.run().status, RunStatus::complete);
    expect_nothing_missed(setup.table, first.sink.acknowledged, second.sink.acknowledged);
    EXPECT_EQ(first.sink.acknowledged.size() + second.sink.acknowledged.size(), items);
  }
}

TEST(Pipeline, WaitingReadersKeepLimit) {
  // The first page reaches the limit and cannot be packed at once; the second page's reader is
  // ready to ask for more, of which there is none.
  RunSetup setup{.table = TestTable::of({{4, 4, 4}, {4, 4, 4}, {4, 4, 4}})};
  setup.limits.batch_bytes = 1;
  setup.batch_items = 1;
  setup.batches_in_flight = 1;
  setup.item_limit = 9;
  setup.seed = 3;
  TestRun run(setup);
  run.sink.standing_still = true;
  run.start();
  run.until_idle();
  run.sink.go_on();
  const Ending ending = run.finish();
  EXPECT_EQ(ending.status, RunStatus::limit_reached) << ending.error();
  EXPECT_EQ(run.sink.acknowledged.size(), 9U);
  for (const auto& page : run.asked) {
    EXPECT_GT(page.limit.value_or(1), 0U);
  }
}

TEST(Pipeline, CutPageContinues) {
  TestRun first({.table = TestTable::of({{3, 10, 3}}), .item_limit = 7, .filtered = true});
  EXPECT_EQ(first.run().status, RunStatus::limit_reached);
  EXPECT_THAT(
      first.sink.acknowledged,
      UnorderedElementsAreArray({"0.0.0", "0.0.1", "0.0.2", "0.1.0", "0.1.1", "0.1.2", "0.1.3"}));
  EXPECT_EQ(first.store.state[0].position.last_evaluated_key, R"({"pk":{"S":"0.1.3"}})");
  EXPECT_EQ(first.store.state[0].items, 7U);

  TestRun second(first.resumed());
  EXPECT_EQ(second.run().status, RunStatus::complete);
  EXPECT_EQ(second.sink.acknowledged.size(), 9U);
}

TEST(Pipeline, UncuttablePageStaysOpen) {
  // Both readers ask for 12 items, of which the limit takes 10 and 2: the position after these is
  // not known in an index.
  RunSetup setup{.table = TestTable::of({{10}, {10}}), .item_limit = 12, .of_index = true};
  setup.lanes = 1;
  TestRun first(setup);
  EXPECT_EQ(first.run().status, RunStatus::limit_reached);
  EXPECT_EQ(first.sink.acknowledged.size(), 12U);
  const auto complete = std::ranges::count_if(
      first.store.state, [](const auto& segment) { return segment.position.complete; });
  EXPECT_EQ(complete, 1);

  TestRun second(first.resumed());
  EXPECT_EQ(second.run().status, RunStatus::complete);
  EXPECT_EQ(second.sink.acknowledged.size(), 10U);
  expect_nothing_missed(setup.table, first.sink.acknowledged, second.sink.acknowledged);
}

TEST(Pipeline, UnfilteredLimitEndsPage) {
  TestRun first({.table = TestTable::of({{3, 10, 3}}), .item_limit = 7});
  EXPECT_EQ(first.run().status, RunStatus::limit_reached);
  TestRun second(first.resumed());
  EXPECT_EQ(second.run().status, RunStatus::complete);
  EXPECT_EQ(first.sink.acknowledged.size() + second.sink.acknowledged.size(), 16U);
}

TEST(Pipeline, LimitOverTableSize) {
  TestRun run({.table = TestTable::of({{3, 3}, {3}}), .item_limit = 1000});
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 9U);
}

// Failures

TEST(Pipeline, AnyFailureMissesNothing) {
  std::size_t failed = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    TestRun first(random_setup(seed));
    Dice dice(seed);
    std::string message;
    switch (dice.roll(0, 2)) {
      case 0: {
        const std::size_t segment = dice.roll(0, first.setup.table.segments.size() - 1);
        const std::size_t page = dice.roll(0, first.setup.table.segments[segment].size() - 1);
        first.fates[{segment, page}] = TestRun::refusal("ResourceNotFoundException");
        message = "ResourceNotFoundException";
        break;
      }
      case 1:
        first.sink.fate = fail_at(dice.roll(1, 6), "the sink failed");
        message = "the sink failed";
        break;
      default:
        first.store.fate = fail_at(dice.roll(1, 6), "the store failed");
        message = "the store failed";
        break;
    }
    const Ending ending = first.run();
    if (ending.status) {
      EXPECT_EQ(ending.status, RunStatus::complete);  // it was over before it came to the failure
    } else {
      EXPECT_THAT(ending.error(), HasSubstr(message));
      ++failed;
    }
    TestRun second(first.resumed());
    EXPECT_EQ(second.run().status, RunStatus::complete);
    expect_nothing_missed(first.setup.table, first.sink.acknowledged, second.sink.acknowledged);
  }
  EXPECT_GT(failed, kSeeds / 2);
}

TEST(Pipeline, ReadItemsAreDelivered) {
  TestRun run({.table = TestTable::of({{4, 4, 4}, {4, 4, 4}})});
  run.fates[{1, 2}] = TestRun::refusal("ResourceNotFoundException");
  const Ending ending = run.run();
  EXPECT_THAT(ending.error(),
              StartsWith("Scan on table orders: ResourceNotFoundException: in its words"));
  EXPECT_EQ(run.store.state[1].position.last_evaluated_key, Place{.page = 2}.key());
  EXPECT_EQ(run.sink.received, run.sink.acknowledged);
  std::size_t saved = 0;
  for (const auto& segment : run.store.state) {
    saved += segment.items;
  }
  EXPECT_EQ(saved, run.sink.acknowledged.size());
}

TEST(Pipeline, FailedSinkEndsReaders) {
  RunSetup setup{.table = TestTable::of({{9, 9, 9}, {9, 9, 9}, {9, 9, 9}})};
  setup.limits.batch_bytes = 1;
  setup.batch_items = 2;
  setup.batches_in_flight = 1;
  TestRun run(setup);
  run.sink.standing_still = true;
  run.sink.fate = fail_at(1, "the sink failed");
  run.start();
  run.until_idle();
  run.sink.go_on();
  EXPECT_EQ(run.finish().error(), "test: the sink failed");
  EXPECT_EQ(run.sink.deliveries, 1U);
  EXPECT_EQ(run.store.saves, 0U);
}

TEST(Pipeline, FirstFailureIsThrown) {
  TestRun run({.table = TestTable::of({{9, 9, 9}, {9, 9, 9}})});
  std::string first;
  run.sink.fate = [&](std::size_t number) {
    first = first.empty() ? fmt::format("failure {}", number) : first;
    throw failure_of(fmt::format("failure {}", number));
  };
  run.sink.standing_still = true;
  run.start();
  run.until_idle();
  EXPECT_GT(run.sink.under_way, 1U);
  run.sink.go_on();
  const Ending ending = run.finish();
  EXPECT_EQ(ending.error(), "test: " + first);
}

TEST(Pipeline, FailingStoreKeepsState) {
  TestRun run({.table = TestTable::of({{4, 4, 4, 4, 4, 4}})});
  run.store.fate = fail_at(3, "the disk is full");
  EXPECT_EQ(run.run().error(), "test: the disk is full");
  EXPECT_EQ(run.store.saves, 3U);
  EXPECT_FALSE(run.store.state[0].position.complete);
}

TEST(Pipeline, UnexplainedAbortIsFailure) {
  TestRun run({.table = TestTable::of({{4, 4, 4}})});
  run.sink.fate = [](std::size_t) {
    throw boost::system::system_error(asio::error::operation_aborted);
  };
  EXPECT_FALSE(run.run().status.has_value());
}

TEST(Pipeline, GoneReaderEndsQuietly) {
  TestRun first({.table = TestTable::of({{9, 9, 9}, {9, 9, 9}})});
  first.sink.fate = [](std::size_t number) {
    if (number >= 3) {
      throw sink::DestinationClosed("the reader has gone");
    }
  };
  const Ending ending = first.run();
  EXPECT_EQ(ending.status, RunStatus::closed) << ending.error();
  EXPECT_LT(first.asked.size(), 6U);

  TestRun second(first.resumed());
  EXPECT_EQ(second.run().status, RunStatus::complete);
  expect_nothing_missed(first.setup.table, first.sink.acknowledged, second.sink.acknowledged);
}

// Failures of one segment

TEST(Pipeline, FailedSegmentStopsAlone) {
  for (const std::string& fate : {http::answer("", "503 Service Unavailable"), http::answer("{}"),
                                  TestRun::refusal("ValidationException")}) {
    SCOPED_TRACE(fate);
    TestRun first({.table = TestTable::of({{3, 3, 3}, {4, 4, 4}, {5, 5, 5, 5}, {2, 2}}),
                   .limits = {.segments_at_once = 3}});
    first.fates[{1, 1}] = fate;
    const Ending ending = first.run();
    EXPECT_THAT(ending.error(), AllOf(StartsWith("Scan on table orders: "),
                                      HasSubstr("; 1 of 4 segments could not be read to their end "
                                                "(1)")));
    EXPECT_EQ(first.pipeline.counters().segments_failed, 1U);
    EXPECT_EQ(first.pipeline.counters().segments_complete, 3U);
    ASSERT_EQ(first.notices.size(), 1U);
    EXPECT_THAT(first.notices[0],
                StartsWith("segment 1 failed; continuing with the others: Scan on "
                           "table orders: "));
    EXPECT_EQ(first.sink.acknowledged.size(), 9U + 4U + 20U + 4U);
    EXPECT_EQ(first.store.state[1].position.last_evaluated_key, Place{.page = 1}.key());

    TestRun second(first.resumed());
    EXPECT_EQ(second.run().status, RunStatus::complete);
    EXPECT_EQ(second.sink.acknowledged.size(), 8U);
  }
}

TEST(Pipeline, AllSegmentsFailed) {
  for (const std::string_view code : {"AccessDeniedException", "ResourceNotFoundException"}) {
    TestRun run({.table = TestTable::of(std::vector<std::vector<std::size_t>>(50, {3, 3, 3})),
                 .limits = {.segments_at_once = 4}});
    run.fates[{2, 1}] = TestRun::refusal(code);
    EXPECT_THAT(run.run().error(), AllOf(HasSubstr(code), Not(HasSubstr("segments"))));
    EXPECT_LT(run.asked.size(), 40U);
    EXPECT_TRUE(run.notices.empty());
  }
}

TEST(Pipeline, RefusedScanEnds) {
  TestRun run({.table = TestTable::of(std::vector<std::vector<std::size_t>>(50, {3}))});
  for (std::size_t segment = 0; segment < 50; ++segment) {
    run.fates[{segment, 0}] = TestRun::refusal("ValidationException");
  }
  EXPECT_THAT(run.run().error(), HasSubstr("ValidationException: in its words"));
  EXPECT_TRUE(run.notices.empty());
}

TEST(Pipeline, AllReadersFailed) {
  TestRun run({.table = TestTable::of(std::vector<std::vector<std::size_t>>(50, {3, 3})),
               .limits = {.segments_at_once = 3}});
  for (std::size_t segment = 0; segment < 50; ++segment) {
    // The service goes away once the first segments have had a page.
    run.fates[{segment, segment < 3 ? 1 : 0}] = http::answer("", "503 Service Unavailable");
  }
  EXPECT_THAT(run.run().error(), HasSubstr("HTTP status 503"));
  std::set<std::size_t> tried;
  for (const auto& page : run.asked) {
    tried.insert(page.segment);
  }
  EXPECT_LE(tried.size(), 6U);
  EXPECT_EQ(run.notices.size(), 1U);
}

// What can never be delivered

TEST(Pipeline, UndeliverableBecomesDeadLetter) {
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    TestRun run(random_setup(seed));
    // The builder finds some too large, the destination refuses others.
    const auto refused = [&](const std::string& id) {
      return std::hash<std::string>{}(id + std::to_string(seed)) % 3 == 0;
    };
    run.sink.refuses = refused;
    const std::string last = fmt::format("{}\"", Dice(seed).roll(0, 5));
    run.find_too_large(last);
    const Ending ending = run.run();
    ASSERT_EQ(ending.status, RunStatus::complete) << ending.error();
    std::size_t dead = 0;
    for (const std::string& id : run.setup.table.all()) {
      const bool too_large = (id + "\"").ends_with(last);
      const bool undeliverable = too_large || refused(id);
      dead += undeliverable ? 1 : 0;
      EXPECT_EQ(run.dead_letters.ids.count(id), undeliverable ? 1U : 0U) << id;
      EXPECT_EQ(run.sink.acknowledged.count(id), undeliverable ? 0U : 1U) << id;
    }
    std::size_t counted = 0;
    for (const checkpoint::SegmentProgress& segment : run.store.state) {
      counted += segment.dead_letters;
    }
    EXPECT_EQ(counted, dead);
    EXPECT_EQ(run.pipeline.counters().dead_letters, dead);
    EXPECT_EQ(run.pipeline.counters().items_delivered, run.sink.acknowledged.size());
    for (const sink::DeadLetter& letter : run.dead_letters.written) {
      EXPECT_THAT(letter.item, StartsWith(fmt::format(R"({{"pk":{{"S":"{}.)", letter.segment)));
    }
    EXPECT_EQ(run.notices.size(), dead > 0 ? 1U : 0U);
  }
}

TEST(Pipeline, TooLargeShowsSize) {
  TestRun run({.table = TestTable::of({{4, 4, 4}}), .batch_items = 3});
  run.find_too_large("0.1.2");
  EXPECT_EQ(run.run().status, RunStatus::complete);
  ASSERT_EQ(run.dead_letters.written.size(), 1U);
  EXPECT_EQ(run.dead_letters.written[0].reason, "its JSON has 20 bytes, and small ones only");
  EXPECT_EQ(run.dead_letters.written[0].code, "");
  EXPECT_THAT(run.notices,
              testing::ElementsAre("an item of segment 0 cannot be delivered: its JSON has 20 "
                                   "bytes, and small ones only; it and others like it go to the "
                                   "dead letters"));
}

TEST(Pipeline, DeadLetterHoldsFrontier) {
  for (const bool too_large : {true, false}) {
    TestRun run({.table = TestTable::of({{4, 4, 4}}), .batch_items = 4});
    if (too_large) {
      run.find_too_large("0.1.2");
    } else {
      run.sink.refuses = [](const std::string& id) { return id == "0.1.2"; };
    }
    run.dead_letters.fails = true;
    EXPECT_EQ(run.run().error(), "the dead letters cannot be written");
    EXPECT_EQ(run.store.state[0].position.last_evaluated_key, Place{.page = 1}.key());
    EXPECT_EQ(run.store.state[0].dead_letters, 0U);
  }
}

// The next run reads the page again, and would write its letters twice.
TEST(Pipeline, FailedSinkNoLetters) {
  RunSetup setup{.table = TestTable::of({{9}})};
  setup.limits.batch_bytes = 1;
  setup.batch_items = 2;
  TestRun run(setup);
  run.find_too_large("0.0.0");
  run.sink.fate = fail_at(1, "the sink failed");
  EXPECT_EQ(run.run().error(), "test: the sink failed");
  EXPECT_TRUE(run.dead_letters.written.empty());
}

// Bounds

TEST(Pipeline, StalledSinkStopsReading) {
  // A page is two fifths of a batch: packing stops in the middle of pages.
  std::vector<std::vector<std::size_t>> shape(60, {10, 10, 10, 10});
  RunSetup setup{.table = TestTable::of(shape)};
  setup.limits = {.pages_at_once = 20, .unsaved_pages_per_segment = 2, .batch_bytes = 1200};
  setup.batch_items = 25;
  TestRun run(setup);
  run.sink.standing_still = true;
  run.start();
  run.until_idle();
  EXPECT_FALSE(run.ending.has_value());
  // Each item is 20 or 21 bytes and a line break: the bound of the batches is this many pages.
  const std::size_t packed = (1200 + 2 * 25 * 23) / (10 * 22) + 1;
  EXPECT_LE(run.asked.size(), packed + setup.limits.pages_at_once);
  EXPECT_GE(run.asked.size(), setup.limits.pages_at_once);
  EXPECT_EQ(run.store.saves, 0U);

  run.sink.go_on();
  EXPECT_EQ(run.finish().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 2400U);
}

TEST(Pipeline, StalledStoreStopsReading) {
  TestRun run({.table = TestTable::of({{5, 5, 5, 5, 5, 5}, {5, 5, 5, 5}})});
  run.store.standing_still = true;
  run.start();
  run.until_idle();
  EXPECT_FALSE(run.ending.has_value());
  EXPECT_EQ(run.asked.size(), 2 * run.setup.limits.unsaved_pages_per_segment);
  EXPECT_EQ(run.store.saves, 1U);

  run.store.go_on();
  EXPECT_EQ(run.finish().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 50U);
}

TEST(Pipeline, ManySegmentsFewPages) {
  std::vector<std::vector<std::size_t>> shape(100, {3, 3});
  TestRun run({.table = TestTable::of(shape), .limits = {.pages_at_once = 2}});
  EXPECT_EQ(run.run().status, RunStatus::complete);
  EXPECT_EQ(run.sink.acknowledged.size(), 600U);
}

}  // namespace
}  // namespace everyitem::pipeline
