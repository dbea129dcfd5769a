// Stages for tests of the pipeline: a generated table in a scripted DynamoDB, and a builder, a sink
// and a store that check their input.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "pipeline/owned_parts.h"
#include "pipeline/pipeline.h"
#include "source/dynamodb_limits.h"
#include "source/table_parts.h"
#include "support/test_service.h"

namespace everyitem::pipeline {

/// Chance of a test, repeatable but for what the machine's sockets do.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// In [low, high].
  std::size_t roll(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(engine_);
  }
  bool once_in(std::size_t times) { return roll(1, times) == 1; }

 private:
  std::mt19937_64 engine_;
};

using Ids = std::vector<std::string>;

/// Segments of pages of items, known by their ids. A page may be empty.
struct TestTable {
  std::vector<std::vector<Ids>> segments;

  /// `shape`: of each segment, the number of items of each page.
  static TestTable of(const std::vector<std::vector<std::size_t>>& shape) {
    TestTable table;
    for (const auto& pages : shape) {
      auto& segment = table.segments.emplace_back();
      for (const std::size_t items : pages) {
        auto& page = segment.emplace_back();
        for (std::size_t i = 0; i < items; ++i) {
          page.push_back(fmt::format("{}.{}.{}", table.segments.size() - 1, segment.size() - 1, i));
        }
      }
    }
    return table;
  }

  static TestTable random(Dice& dice) {
    std::vector<std::vector<std::size_t>> shape(dice.roll(1, 6));
    for (auto& pages : shape) {
      pages.resize(dice.roll(1, 6));
      for (std::size_t& items : pages) {
        items = dice.once_in(4) ? 0 : dice.roll(1, 8);
      }
      pages.back() = dice.once_in(2) ? 0 : pages.back();
    }
    return of(shape);
  }

  Ids all() const {
    Ids ids;
    for (const auto& pages : segments) {
      for (const Ids& page : pages) {
        ids.insert(ids.end(), page.begin(), page.end());
      }
    }
    return ids;
  }
};

/// A position as the scripted DynamoDB means it: the page, and the item of it.
struct Place {
  std::size_t page = 0;
  std::size_t item = 0;

  std::string key() const { return fmt::format(R"({{"pk":{{"S":"{}.{}"}}}})", page, item); }
  static Place of(std::string_view key) {
    Place place;
    if (!key.empty()) {
      const std::string text(key);
      std::size_t segment = 0;
      if (std::sscanf(text.c_str(), R"({"pk":{"S":"%zu.%zu.%zu"}})", &segment, &place.page,
                      &place.item) == 3) {
        ++place.item;  // an item's own key: after it
      } else {
        EXPECT_EQ(std::sscanf(text.c_str(), R"({"pk":{"S":"%zu.%zu"}})", &place.page, &place.item),
                  2)
            << key;
      }
    }
    return place;
  }
};

/// The items of a segment before a position.
inline Ids items_before(const TestTable& table, const checkpoint::SegmentProgress& progress) {
  const auto& pages = table.segments.at(progress.segment);
  Place end = Place::of(progress.position.last_evaluated_key);
  if (progress.position.complete) {
    end = {.page = pages.size()};
  }
  Ids ids;
  for (std::size_t page = 0; page < end.page; ++page) {
    ids.insert(ids.end(), pages[page].begin(), pages[page].end());
  }
  for (std::size_t item = 0; item < end.item; ++item) {
    ids.push_back(pages[end.page][item]);
  }
  return ids;
}

/// How far a page is from the start of its segment: the number of pages before a position.
inline std::size_t pages_before(const TestTable& table,
                                const checkpoint::SegmentProgress& progress) {
  return progress.position.complete ? table.segments.at(progress.segment).size()
                                    : Place::of(progress.position.last_evaluated_key).page;
}

/// Lines, in batches of a few items.
class LineBuilder final : public batch::BatchBuilder {
 public:
  explicit LineBuilder(std::size_t batch_items) : batch_items_(batch_items) {}

  batch::AddResult add(const source::Item& item, source::PageId page) override {
    if (!too_large.empty() && item.json.find(too_large) != std::string_view::npos) {
      return batch::AddResult::too_large;
    }
    if (batch_.items.size() == batch_items_) {
      return batch::AddResult::full;
    }
    batch_.add({.record = static_cast<std::uint32_t>(batch_.items.size()),
                .offset = static_cast<std::uint32_t>(batch_.body.size()),
                .length = static_cast<std::uint32_t>(item.json.size())},
               page);
    batch_.body.append(item.json);
    batch_.body.append("\n");
    return batch::AddResult::added;
  }
  std::string size_limit() const override { return "small ones only"; }
  bool empty() const override { return batch_.items.empty(); }
  batch::RecordBatch seal() override {
    EXPECT_FALSE(batch_.items.empty());
    ++seals;
    sealed_bytes += batch_.body.size();
    largest_batch = std::max(largest_batch, batch_.body.size());
    if (on_seal) {
      on_seal();
    }
    return std::exchange(batch_, {});
  }

  std::string too_large;  ///< an item that holds this text fits into no batch
  std::size_t seals = 0;
  std::size_t sealed_bytes = 0;
  std::size_t largest_batch = 0;
  std::function<void()> on_seal;

 private:
  std::size_t batch_items_;
  batch::RecordBatch batch_;
};

/// Takes items in an order that chance makes.
class TestSink final : public sink::Sink {
 public:
  TestSink(const asio::any_io_executor& executor, std::size_t batches_in_flight, std::size_t lanes,
           Dice& dice)
      : batches_in_flight_(batches_in_flight), lanes_(lanes), dice_(dice), released_(executor) {}

  Awaitable<std::vector<sink::RefusedItem>> deliver(const batch::RecordBatch& batch) override {
    const std::size_t number = ++deliveries;
    const Ids ids = ids_of(batch.body.view());
    EXPECT_EQ(ids.size(), batch.items.size());
    std::vector<sink::RefusedItem> refused;
    received.insert(ids.begin(), ids.end());
    ++under_way;
    EXPECT_LE(under_way, batches_in_flight_ * lanes_);
    if (on_deliver) {
      on_deliver(number);
    }
    for (std::size_t turns = dice_.roll(0, 12); turns > 0; --turns) {
      co_await http::yield();
    }
    while (standing_still) {
      co_await released_.wait();
    }
    --under_way;
    if (fate) {
      fate(number);
    }
    finished_bytes += batch.body.size();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (refuses && refuses(ids[i])) {
        refused.push_back({.index = static_cast<std::uint32_t>(i),
                           .code = "InvalidArgumentException",
                           .reason = "in its words"});
      } else {
        acknowledged.insert(ids[i]);
      }
    }
    co_return refused;
  }

  std::size_t max_batches_in_flight() const override { return batches_in_flight_; }

  void go_on() {
    standing_still = false;
    released_.notify_all();
  }

  static Ids ids_of(std::string_view lines) {
    Ids ids;
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      ids.emplace_back(boost::json::parse(line).at("pk").at("S").as_string());
      lines.remove_prefix(line.size() + 1);
    }
    return ids;
  }

  bool standing_still = false;
  std::function<void(std::size_t number)> on_deliver;
  std::function<void(std::size_t number)> fate;        ///< may throw what the delivery ends with
  std::function<bool(const std::string& id)> refuses;  ///< what it can never take
  std::size_t deliveries = 0;
  std::size_t under_way = 0;
  std::size_t finished_bytes = 0;
  std::multiset<std::string> received;  ///< whatever it was given, acknowledged or not
  std::multiset<std::string> acknowledged;

 private:
  std::size_t batches_in_flight_;
  std::size_t lanes_;
  Dice& dice_;
  Event released_;
};

/// Keeps the ids of what is written, by the time the write has ended.
class TestDeadLetters final : public sink::DeadLetters {
 public:
  explicit TestDeadLetters(Dice& dice) : dice_(dice) {}

  Awaitable<void> write(std::vector<sink::DeadLetter> letters) override {
    for (std::size_t turns = dice_.roll(0, 8); turns > 0; --turns) {
      co_await http::yield();
    }
    if (fails) {
      throw std::runtime_error("the dead letters cannot be written");
    }
    for (sink::DeadLetter& letter : letters) {
      EXPECT_EQ(letter.key, letter.item) << "these items are nothing but their key";
      ids.insert(TestSink::ids_of(letter.item + "\n").front());
      written.push_back(std::move(letter));
    }
  }

  bool fails = false;
  std::multiset<std::string> ids;
  std::vector<sink::DeadLetter> written;

 private:
  Dice& dice_;
};

/// However a coroutine ends.
struct KeepEnds {
  bool& keeping;
  ~KeepEnds() { keeping = false; }
};

/// Compares every save with what the sink has acknowledged, which is the guarantee.
class TestStore final : public checkpoint::CheckpointStore {
 public:
  TestStore(const asio::any_io_executor& executor, const TestTable& table, const TestSink& sink,
            const TestDeadLetters& dead_letters, Dice& dice,
            std::vector<checkpoint::SegmentProgress> start)
      : state(std::move(start)),
        table_(table),
        sink_(sink),
        dead_letters_(dead_letters),
        dice_(dice),
        released_(executor) {
    for (const checkpoint::SegmentProgress& segment : state) {
      const Ids before = items_before(table_, segment);
      delivered_before_.insert(before.begin(), before.end());
    }
  }

  Awaitable<std::optional<checkpoint::RunView>> look() override { co_return std::nullopt; }
  Awaitable<std::optional<checkpoint::RunState>> load() override { co_return std::nullopt; }
  Awaitable<void> begin(checkpoint::RunState /*state*/) override { co_return; }
  Awaitable<void> save(std::vector<checkpoint::SegmentProgress> moved) override {
    const std::size_t number = ++saves;
    EXPECT_FALSE(saving_) << "two saves at once";
    saving_ = true;
    for (const checkpoint::SegmentProgress& segment : moved) {
      const Ids before = items_before(table_, segment);
      EXPECT_EQ(segment.items, before.size());
      for (const std::string& id : before) {
        EXPECT_TRUE(sink_.acknowledged.contains(id) || dead_letters_.ids.contains(id) ||
                    delivered_before_.contains(id))
            << id << " is checkpointed, and was not acknowledged";
      }
    }
    if (on_save) {
      on_save(number);
    }
    for (std::size_t turns = dice_.roll(0, 8); turns > 0; --turns) {
      co_await http::yield();
    }
    while (standing_still) {
      co_await released_.wait();
    }
    saving_ = false;
    if (fate) {
      fate(number);
    }
    for (const checkpoint::SegmentProgress& segment : moved) {
      state.at(segment.segment) = segment;
    }
  }
  Awaitable<void> maintain() override {
    keeping = true;
    [[maybe_unused]] const KeepEnds ends{keeping};
    while (!keep_fails) {
      co_await released_.wait();
    }
    throw std::runtime_error("the run was taken over");
  }
  Awaitable<void> flush() override {
    EXPECT_FALSE(saving_ || keeping) << "a flush alongside other calls";
    ++flushes;
    if (flush_fails) {
      throw std::runtime_error("what was put off cannot be written");
    }
    co_return;
  }
  std::string location() const override { return "a test"; }

  void go_on() {
    standing_still = false;
    released_.notify_all();
  }

  bool keeping = false;
  bool keep_fails = false;
  bool flush_fails = false;
  std::size_t flushes = 0;
  std::vector<checkpoint::SegmentProgress> state;
  bool standing_still = false;
  std::size_t saves = 0;
  std::function<void(std::size_t number)> on_save;
  std::function<void(std::size_t number)> fate;  ///< may throw what the save ends with

 private:
  const TestTable& table_;
  const TestSink& sink_;
  const TestDeadLetters& dead_letters_;
  Dice& dice_;
  Event released_;
  std::set<std::string> delivered_before_;
  bool saving_ = false;
};

/// What one run of a pipeline is given.
struct RunSetup {
  TestTable table;
  std::uint64_t seed = 0;
  std::vector<checkpoint::SegmentProgress> start = {};  ///< empty: from the beginning
  PipelineLimits limits = {};
  std::optional<std::uint64_t> item_limit = {};
  bool filtered = false;
  bool of_index = false;
  std::size_t batch_items = 5;
  std::size_t batches_in_flight = 3;     ///< of each lane
  std::size_t lanes = 1;                 ///< all on one event loop
  std::optional<double> read_rate = {};  ///< units per second
  double units_per_item = 0;             ///< 0: what pages cost is not reported
  bool shared = false;                   ///< parts go to other processes, and come back
};

/// The parts of a run that others work on too. Each save may lose some, each may be wanted by
/// another; what is not complete comes back.
class WanderingParts final : public RunParts {
 public:
  WanderingParts(const asio::any_io_executor& executor, TestStore& store, Dice& dice)
      : store_(store), dice_(dice), changed_(executor) {}

  Awaitable<std::optional<checkpoint::SegmentProgress>> next() override {
    while (!complete()) {
      std::vector<checkpoint::SegmentProgress> free;
      std::ranges::copy_if(store_.state, std::back_inserter(free), [this](const auto& part) {
        return !part.position.complete && !taken.contains(part.segment);
      });
      if (!free.empty()) {
        const checkpoint::SegmentProgress& part = free[dice_.roll(0, free.size() - 1)];
        taken.insert(part.segment);
        for (std::size_t turns = dice_.roll(0, 8); turns > 0; --turns) {
          co_await http::yield();
        }
        co_return part;
      }
      co_await changed_.wait();
    }
    co_return std::nullopt;
  }
  Awaitable<void> ended(std::uint32_t part, PartEnd why) override {
    EXPECT_TRUE(taken.contains(part));
    ++ends[why];
    for (std::size_t turns = dice_.roll(0, 8); turns > 0; --turns) {
      co_await http::yield();
    }
    taken.erase(part);
    lost_.erase(part);
    changed_.notify_all();
  }
  Awaitable<std::vector<std::uint32_t>> save(
      std::vector<checkpoint::SegmentProgress> moved) override {
    std::vector<checkpoint::SegmentProgress> own;
    std::vector<std::uint32_t> lost;
    std::vector<std::uint32_t> over;
    for (checkpoint::SegmentProgress& part : moved) {
      EXPECT_TRUE(taken.contains(part.segment));
      if (part.position.complete) {
        over.push_back(part.segment);
      }
      if (lost_.contains(part.segment) || dice_.roll(1, 6) == 1) {
        lost.push_back(part.segment);
        lost_.insert(part.segment);
      } else {
        own.push_back(std::move(part));
      }
    }
    co_await store_.save(std::move(own));
    for (const std::uint32_t part : over) {
      taken.erase(part);
      lost_.erase(part);
    }
    if (!taken.empty() && dice_.roll(1, 4) == 1) {
      return_part(
          *std::next(taken.begin(), static_cast<std::ptrdiff_t>(dice_.roll(0, taken.size() - 1))));
    }
    changed_.notify_all();
    co_return lost;
  }
  bool complete() const override {
    return std::ranges::all_of(store_.state,
                               [](const auto& part) { return part.position.complete; });
  }

  std::function<void(std::uint32_t part)> return_part;
  std::set<std::uint32_t> taken;
  std::map<PartEnd, std::size_t> ends;

 private:
  TestStore& store_;
  Dice& dice_;
  std::set<std::uint32_t> lost_;
  Event changed_;
};

/// How a run ended.
struct Ending {
  std::optional<RunStatus> status;
  std::exception_ptr failure;

  std::string error() const {
    try {
      if (failure) {
        std::rethrow_exception(failure);
      }
    } catch (const std::exception& thrown) {
      return thrown.what();
    }
    return "(no error)";
  }
};

/// One pipeline between these stages, on an event loop of its own. Checks all along what must hold
/// in every run: the guarantee, and the bounds.
class TestRun {
 public:
  explicit TestRun(RunSetup run_setup)
      : setup(std::move(run_setup)),
        dice(setup.seed),
        service([this](http::Peer& peer, const std::string& request) {
          return answer(peer, boost::json::parse(http::body_of(request)).as_object());
        }),
        requests({.table = "orders",
                  .index = setup.of_index ? "by-date" : "",
                  .filter_expression = setup.filtered ? "a = :b" : ""},
                 static_cast<std::uint32_t>(setup.table.segments.size())),
        parts({.dynamodb = service.client,
               .requests = requests,
               .keys = {.hash = "pk", .range = {}},
               .position_names = {"pk"},
               .object = "table orders"}),
        builders(builders_of(setup)),
        sink(service.loop.get_executor(), setup.batches_in_flight, setup.lanes, dice),
        dead_letters(dice),
        store(service.loop.get_executor(), setup.table, sink, dead_letters, dice, start_of(setup)),
        gate(service.loop.get_executor(), service.clock, setup.read_rate,
             source::kMaxPageReadUnits),
        owned(store, store.state),
        wandering(service.loop.get_executor(), store, dice),
        pipeline(service.loop.get_executor(),
                 {.lanes = lanes(),
                  .dead_letters = &dead_letters,
                  .parts = setup.shared ? static_cast<RunParts&>(wandering) : owned,
                  .clock = service.clock,
                  .read_gate = &gate,
                  .notice = [this](const Message& text) { notices.push_back(text.text()); }},
                 pipeline::start_of(store.state), setup.limits, setup.item_limit) {
    wandering.return_part = [this](std::uint32_t part) { pipeline.return_part(part); };
    for (const auto& builder : builders) {
      builder->on_seal = [this] {
        std::size_t sealed_bytes = 0;
        std::size_t largest_batches = 0;
        for (const auto& one : builders) {
          sealed_bytes += one->sealed_bytes;
          largest_batches += one->largest_batch;
        }
        EXPECT_LE(sealed_bytes - sink.finished_bytes,
                  setup.limits.batch_bytes + largest_batches + setup.lanes)
            << "too many bytes of batches are held";
      };
    }
  }

  /// Requests that were still on their way meet nobody: what answers them needs what goes first.
  ~TestRun() {
    service.handler = [](http::Peer&, const std::string&) -> Awaitable<void> { co_return; };
  }
  TestRun(const TestRun&) = delete;
  TestRun& operator=(const TestRun&) = delete;

  static std::vector<std::unique_ptr<LineBuilder>> builders_of(const RunSetup& setup) {
    std::vector<std::unique_ptr<LineBuilder>> builders;
    for (std::size_t i = 0; i < setup.lanes; ++i) {
      builders.push_back(std::make_unique<LineBuilder>(setup.batch_items));
    }
    return builders;
  }

  std::vector<LaneParts> lanes() {
    std::vector<LaneParts> lanes;
    for (const auto& builder : builders) {
      lanes.push_back({.executor = service.loop.get_executor(),
                       .source = parts,
                       .builder = *builder,
                       .sink = sink});
    }
    return lanes;
  }

  /// An item that holds this text fits into no batch.
  void find_too_large(const std::string& text) {
    for (const auto& builder : builders) {
      builder->too_large = text;
    }
  }

  static std::vector<checkpoint::SegmentProgress> start_of(const RunSetup& setup) {
    std::vector<checkpoint::SegmentProgress> start = setup.start;
    for (std::size_t i = start.size(); i < setup.table.segments.size(); ++i) {
      start.push_back({.segment = static_cast<std::uint32_t>(i)});
    }
    return start;
  }

  void start() {
    asio::co_spawn(service.loop, pipeline.run(),
                   [this](std::exception_ptr failure, RunStatus status) {
                     ending.emplace();
                     if (failure) {
                       ending->failure = std::move(failure);
                     } else {
                       ending->status = status;
                     }
                     service.loop.stop();
                   });
  }

  /// Runs until nothing happens any more. An instant in which nothing happened by mere chance lets
  /// a test see less, and none fail.
  void until_idle() {
    while (service.loop.poll() > 0) {
    }
  }

  Ending finish() {
    if (!ending) {
      service.loop.restart();
      service.loop.run_for(std::chrono::seconds(120));
    }
    if (!ending) {
      // The pipeline cannot be taken apart while it runs.
      std::fprintf(stderr, "FAILED: the run hangs; seed %zu\n",
                   static_cast<std::size_t>(setup.seed));
      std::abort();
    }
    EXPECT_EQ(sink.under_way, 0U) << "a delivery continues after the end of the run";
    return *ending;
  }

  Ending run() {
    start();
    return finish();
  }

  /// DynamoDB.
  Awaitable<void> answer(http::Peer& peer, boost::json::object scan) {
    const std::size_t segment = scan.at("Segment").to_number<std::size_t>();
    EXPECT_EQ(scan.at("TotalSegments").to_number<std::size_t>(), setup.table.segments.size());
    Place from;
    if (scan.contains("ExclusiveStartKey")) {
      from = Place::of(boost::json::serialize(scan.at("ExclusiveStartKey")));
    }
    std::optional<std::size_t> limit;
    if (scan.contains("Limit")) {
      limit = scan.at("Limit").to_number<std::size_t>();
    }
    asked.push_back({segment, from, limit});
    look_at_bounds(segment, from);
    if (on_scan) {
      on_scan(asked.size());
    }
    ++being_answered;
    for (std::size_t turns = dice.roll(0, 6); turns > 0; --turns) {
      co_await http::yield();
    }
    --being_answered;
    std::string bytes =
        limit == 0U ? refusal("ValidationException") : http::answer(page_at(segment, from, limit));
    if (const auto fate = fates.find({segment, from.page}); fate != fates.end()) {
      bytes = fate->second;
    }
    if (!bytes.empty()) {
      co_await peer.write(bytes);
    }
  }

  static std::string refusal(std::string_view code) {
    return http::answer(fmt::format(R"({{"__type":"{}","message":"in its words"}})", code),
                        "400 Bad Request");
  }

  std::string page_at(std::size_t segment, Place from, std::optional<std::size_t> limit) {
    const auto& pages = setup.table.segments.at(segment);
    const Ids& page = pages.at(from.page);
    const std::size_t end = limit ? std::min(page.size(), from.item + *limit) : page.size();
    std::string items;
    for (std::size_t i = from.item; i < end; ++i) {
      items += fmt::format(R"({}{{"pk":{{"S":"{}"}}}})", items.empty() ? "" : ",", page[i]);
    }
    const std::size_t count = end - from.item;
    std::string body = fmt::format(R"({{"Items":[{}],"Count":{},"ScannedCount":{})", items, count,
                                   setup.filtered ? count + 100 : count);
    if (setup.units_per_item > 0) {
      body += fmt::format(R"(,"ConsumedCapacity":{{"TableName":"orders","CapacityUnits":{:.1f}}})",
                          static_cast<double>(count) * setup.units_per_item);
    }
    const Place next =
        end < page.size() ? Place{.page = from.page, .item = end} : Place{.page = from.page + 1};
    if (next.page < pages.size()) {
      body += fmt::format(R"(,"LastEvaluatedKey":{})", next.key());
    }
    return body + "}";
  }

  void look_at_bounds(std::size_t segment, Place from) {
    EXPECT_LT(being_answered, setup.limits.pages_at_once);
    if (!setup.item_limit && !setup.shared) {
      EXPECT_LE(from.page + 1 - pages_before(setup.table, store.state.at(segment)),
                setup.limits.unsaved_pages_per_segment)
          << "too many pages of a segment are not in the checkpoint";
    }
    open_segments.insert(segment);
    if (!setup.shared) {
      EXPECT_LE(open_segments.size(),
                setup.limits.segments_at_once + pipeline.counters().segments_failed);
    }
    if (from.page + 1 == setup.table.segments.at(segment).size()) {
      open_segments.erase(segment);
    }
  }

  /// The next process: it resumes at this one's checkpoint.
  RunSetup resumed() const {
    RunSetup next = setup;
    next.start = store.state;
    next.item_limit.reset();
    ++next.seed;
    return next;
  }

  struct Asked {
    std::size_t segment;
    Place from;
    std::optional<std::size_t> limit;
  };

  RunSetup setup;
  Dice dice;
  /// Instead of a page, by segment and page: these bytes; nothing, if empty.
  std::map<std::pair<std::size_t, std::size_t>, std::string> fates;
  std::function<void(std::size_t number)> on_scan;
  std::vector<Asked> asked;
  std::size_t being_answered = 0;
  std::set<std::size_t> open_segments;  ///< begun, and not yet asked for their last page
  std::vector<std::string> notices;
  std::optional<Ending> ending;

  aws::TestService service;
  source::ScanRequests requests;
  source::TableParts parts;
  std::vector<std::unique_ptr<LineBuilder>> builders;  ///< one a lane
  TestSink sink;
  TestDeadLetters dead_letters;
  TestStore store;
  pace::ReadGate gate;
  OwnedParts owned;
  WanderingParts wandering;
  Pipeline pipeline;
};

}  // namespace everyitem::pipeline
