// What every checkpoint store must do: one suite, run for each of them.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "base/run_to_end.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// A backend under test: one location, opened by a process of its own at each call of `open`.
/// Process N is called "process N".
struct StoreUnderTest {
  virtual ~StoreUnderTest() = default;
  virtual std::unique_ptr<CheckpointStore> open() = 0;
  /// The event loop that its stores are used from. By default nothing else is on it.
  virtual asio::io_context& loop() { return own_loop_; }
  virtual void run_until(const std::function<bool()>& /*done*/) { own_loop_.run(); }
  /// Damages what is there, so that it cannot be read.
  virtual void damage() = 0;
  /// Says of what is there that it has another format.
  virtual void set_format(int format) = 0;

 private:
  asio::io_context own_loop_;
};

template <typename Backend>
class CheckpointStoreConformance : public testing::Test {
 protected:
  static RunState example() {
    return {.identity = {{"table", "orders"}, {"filter", ""}},
            .segments = {{.segment = 0}, {.segment = 1}, {.segment = 2}},
            .token = new_run_token()};
  }

  template <typename T>
  T run(Awaitable<T> work) {
    auto result = asio::co_spawn(backend_.loop(), std::move(work), asio::use_future);
    backend_.loop().restart();
    backend_.run_until(
        [&] { return result.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    return result.get();
  }
  void begin(CheckpointStore& store, RunState state) {
    if (state.token.empty()) {
      state.token = new_run_token();
    }
    run(store.begin(std::move(state)));
  }
  /// Runs `work` while `owner` says that it is there.
  template <typename T>
  T run_beside(CheckpointStore& owner, Awaitable<T> work) {
    asio::cancellation_signal stop;
    auto maintained = asio::co_spawn(backend_.loop(), owner.maintain(),
                                     asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    std::exception_ptr failure;
    std::optional<T> result;
    try {
      result = run(std::move(work));
    } catch (...) {
      failure = std::current_exception();
    }
    const auto is_over = [&] {
      return maintained.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    if (!is_over()) {
      asio::post(backend_.loop(), [&stop] { stop.emit(asio::cancellation_type::terminal); });
      backend_.loop().restart();
      backend_.run_until(is_over);
    }
    if (failure) {
      std::rethrow_exception(failure);
    }
    return *std::move(result);
  }
  void save(CheckpointStore& store, std::vector<SegmentProgress> moved) {
    run(store.save(std::move(moved)));
  }
  /// What a process does at its end.
  void end(std::unique_ptr<CheckpointStore>& store) {
    run(store->flush());
    run(store->release());
    store.reset();
  }
  /// What the next process finds, which then ends.
  std::optional<RunState> found() {
    auto store = backend_.open();
    auto state = run(store->load());
    run(store->release());
    return state;
  }
  /// A run from its beginning to its end.
  void complete(RunState state) {
    auto store = backend_.open();
    begin(*store, state);
    for (SegmentProgress& segment : state.segments) {
      segment.position.complete = true;
    }
    save(*store, state.segments);
    end(store);
  }
  /// Why the run cannot be loaded, while `owner`, if there is one, is at work.
  std::string load_failure(CheckpointStore* owner = nullptr) {
    try {
      auto store = backend_.open();
      if (owner != nullptr) {
        run_beside(*owner, store->load());
      } else {
        run(store->load());
      }
    } catch (const Error& error) {
      return error.what();
    }
    return "loaded";
  }

  Backend backend_;
};

TYPED_TEST_SUITE_P(CheckpointStoreConformance);

TYPED_TEST_P(CheckpointStoreConformance, IsEmptyAtFirst) {
  EXPECT_FALSE(this->found().has_value());
  EXPECT_FALSE(this->found().has_value());
}

TYPED_TEST_P(CheckpointStoreConformance, BegunRunFoundNext) {
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->end(store);
  }
  const auto state = this->found();
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->identity, this->example().identity);
  EXPECT_EQ(state->segments, this->example().segments);
  EXPECT_FALSE(state->complete());
}

TYPED_TEST_P(CheckpointStoreConformance, ProgressIsThereNext) {
  // Keys are up to 2 KB + 1 KB of binary data, which base64 makes longer.
  const std::string key = R"({"pk":{"S":"é\n{{\")" + std::string(4096, 'x') + R"("}})";
  const SegmentProgress moved{
      .segment = 1, .position = {.last_evaluated_key = key}, .items = 1ULL << 40, .bytes = 7};
  const SegmentProgress done{
      .segment = 2, .position = {.complete = true}, .items = 3, .bytes = 9, .dead_letters = 2};
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->save(*store, {moved, done});
    this->end(store);
  }
  const auto state = this->found();
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->segments[0], this->example().segments[0]);
  EXPECT_EQ(state->segments[1], moved);
  EXPECT_EQ(state->segments[2], done);
  EXPECT_EQ(state->items(), (1ULL << 40) + 3);
  EXPECT_EQ(state->bytes(), 16U);
  EXPECT_EQ(state->dead_letters(), 2U);
}

TYPED_TEST_P(CheckpointStoreConformance, ProcessesContinueInTurn) {
  constexpr std::uint32_t kSegments = 40;
  RunState expected{.identity = {{"table", "orders"}, {"values", std::string(9000, 'v')}},
                    .segments = {}};
  for (std::uint32_t i = 0; i < kSegments; ++i) {
    expected.segments.push_back({.segment = i});
  }
  {
    auto store = this->backend_.open();
    this->begin(*store, expected);
    this->end(store);
  }
  for (std::uint32_t process = 1; process <= 6; ++process) {
    auto store = this->backend_.open();
    const auto state = this->run(store->load());
    ASSERT_TRUE(state.has_value());
    ASSERT_EQ(state->identity, expected.identity);
    ASSERT_EQ(state->segments, expected.segments) << "process " << process;
    for (std::uint32_t i = process % 2; i < kSegments; i += 2 + process) {
      SegmentProgress& segment = expected.segments[i];
      // Now short, now as long as they get.
      segment.position.last_evaluated_key =
          std::string(process % 3 == 0 ? 5000 : 50, 'a') + std::to_string(process * kSegments + i);
      ++segment.items;
      this->save(*store, {segment});
    }
    this->end(store);
  }
}

TYPED_TEST_P(CheckpointStoreConformance, NewRunReplacesOld) {
  auto store = this->backend_.open();
  this->begin(*store, this->example());
  this->save(*store, {{.segment = 0, .position = {.last_evaluated_key = "k"}, .items = 3},
                      {.segment = 2, .position = {.complete = true}, .items = 3, .bytes = 9}});
  this->run(store->flush());
  RunState other = this->example();
  other.identity[1].value = "a = b";
  other.segments.pop_back();
  this->begin(*store, other);
  this->end(store);
  const auto state = this->found();
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->identity, other.identity);
  EXPECT_EQ(state->segments, other.segments);
}

TYPED_TEST_P(CheckpointStoreConformance, OtherSettingsToldApart) {
  RunState there = this->example();
  there.identity[1].value = "b = \"é{{\"";
  auto store = this->backend_.open();
  this->begin(*store, there);
  this->save(*store, {{.segment = 1, .items = 3}});
  this->end(store);
  EXPECT_TRUE(differences(this->found()->identity, there.identity).empty());
  EXPECT_EQ(differences(this->found()->identity, this->example().identity),
            std::vector<std::string>{"filter: was \"b = \"é{{\"\", is now none"});
  EXPECT_EQ(this->found()->items(), 3U);
}

TYPED_TEST_P(CheckpointStoreConformance, CompleteAfterLastSegment) {
  RunState expected = this->example();
  {
    auto store = this->backend_.open();
    this->begin(*store, expected);
    for (SegmentProgress& segment : expected.segments) {
      EXPECT_FALSE(this->run(store->load())->complete());
      segment.position.complete = true;
      segment.items = 5;
      this->save(*store, {segment});
      this->run(store->flush());
    }
    this->end(store);
  }
  for (int look = 0; look < 2; ++look) {
    const auto state = this->found();
    ASSERT_TRUE(state.has_value());
    EXPECT_TRUE(state->complete());
    ASSERT_EQ(state->segments.size(), 3U);
    for (std::uint32_t number = 0; number < 3; ++number) {
      EXPECT_EQ(state->segments[number].segment, number);
    }
    EXPECT_EQ(state->items(), 15U);
  }
  // And another may begin in its place.
  auto store = this->backend_.open();
  EXPECT_TRUE(this->run(store->load())->complete());
  this->begin(*store, this->example());
  this->end(store);
  EXPECT_EQ(this->found()->segments, this->example().segments);
}

TYPED_TEST_P(CheckpointStoreConformance, RunBeginsWithProgress) {
  RunState state = this->example();
  state.segments[1].position.last_evaluated_key = "k";
  state.segments[1].items = 7;
  auto store = this->backend_.open();
  this->begin(*store, state);
  this->end(store);
  EXPECT_EQ(this->found()->segments, state.segments);
}

TYPED_TEST_P(CheckpointStoreConformance, SecondOwnerIsRefused) {
  auto first = this->backend_.open();
  this->begin(*first, this->example());
  try {
    auto second = this->backend_.open();
    this->run_beside(*first, second->load());
    ADD_FAILURE() << "two owners";
  } catch (const OwnedByAnother& error) {
    EXPECT_NE(std::string(error.what()).find("another process owns this run"), std::string::npos)
        << error.what();
  }
  this->save(*first, {{.segment = 0, .position = {.complete = true}}});
  this->end(first);
  EXPECT_TRUE(this->found()->segments[0].position.complete);
}

TYPED_TEST_P(CheckpointStoreConformance, KilledProcessIsFollowed) {
  {
    const auto killed = this->backend_.open();
    this->begin(*killed, this->example());
    this->save(*killed, {{.segment = 0, .position = {.complete = true}}});
    this->run(killed->flush());
  }
  EXPECT_TRUE(this->found()->segments[0].position.complete);
}

TYPED_TEST_P(CheckpointStoreConformance, DamageIsNoticed) {
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->end(store);
  }
  this->backend_.damage();
  const std::string failure = this->load_failure();
  EXPECT_NE(failure.find("not a checkpoint"), std::string::npos) << failure;
}

TYPED_TEST_P(CheckpointStoreConformance, DamagedRunStartedOver) {
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->save(*store, {{.segment = 1, .items = 3}});
    this->end(store);
  }
  this->backend_.damage();
  EXPECT_THROW(this->run(this->backend_.open()->look()), DamagedCheckpoint);
  const RunState next = this->example();
  auto store = this->backend_.open();
  EXPECT_THROW(this->run(store->load()), DamagedCheckpoint);
  this->begin(*store, next);
  this->end(store);
  const auto state = this->found();
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->token, next.token);
  EXPECT_EQ(state->segments, next.segments);
}

TYPED_TEST_P(CheckpointStoreConformance, DamagedRunLeftAlone) {
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->end(store);
  }
  this->backend_.damage();
  auto store = this->backend_.open();
  EXPECT_THROW(this->run(store->load()), DamagedCheckpoint);
  this->end(store);
  EXPECT_NE(this->load_failure().find("not a checkpoint"), std::string::npos);
}

TYPED_TEST_P(CheckpointStoreConformance, OlderFormatStartedOver) {
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->end(store);
  }
  this->backend_.set_format(1);
  const std::string failure = this->load_failure();
  EXPECT_NE(failure.find("its format is 1"), std::string::npos) << failure;
  EXPECT_NE(failure.find("--restart"), std::string::npos) << failure;
  const RunState next = this->example();
  auto store = this->backend_.open();
  EXPECT_THROW(this->run(store->load()), DamagedCheckpoint);
  this->begin(*store, next);
  this->end(store);
  EXPECT_EQ(this->found()->token, next.token);
}

TYPED_TEST_P(CheckpointStoreConformance, LaterFormatIsRefused) {
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->end(store);
  }
  this->backend_.set_format(99);
  const std::string failure = this->load_failure();
  EXPECT_NE(failure.find("format is 99"), std::string::npos) << failure;
  auto store = this->backend_.open();
  EXPECT_THROW(this->begin(*store, this->example()), Error) << "it is not ours to replace";
  this->run(store->release());
  EXPECT_EQ(this->load_failure(), failure);
}

TYPED_TEST_P(CheckpointStoreConformance, RunKeepsItsToken) {
  const RunState state = this->example();
  auto store = this->backend_.open();
  this->begin(*store, state);
  EXPECT_EQ(this->run(store->load())->token, state.token);
  this->end(store);
  EXPECT_EQ(this->found()->token, state.token);
}

TYPED_TEST_P(CheckpointStoreConformance, LookOwnsNothing) {
  EXPECT_FALSE(this->run(this->backend_.open()->look()).has_value());
  const RunState state = this->example();
  auto owner = this->backend_.open();
  this->begin(*owner, state);
  this->save(*owner, {{.segment = 1, .items = 3}});
  this->run(owner->flush());
  const auto looker = this->backend_.open();
  for (int look = 0; look < 2; ++look) {
    const auto view = this->run(looker->look());
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->state.token, state.token);
    EXPECT_EQ(view->state.identity, state.identity);
    EXPECT_EQ(view->state.items(), 3U);
    ASSERT_TRUE(view->owner.has_value());
    EXPECT_TRUE(view->owner->name.starts_with("process ")) << view->owner->name;
  }
  this->run(looker->release());
  // The owner has noticed nothing, and sees itself.
  EXPECT_EQ(this->run(owner->look())->state.items(), 3U);
  this->save(*owner, {{.segment = 0, .items = 2}});
  this->end(owner);
  const auto view = this->run(looker->look());
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->state.items(), 5U);
  EXPECT_FALSE(view->owner.has_value());
}

TYPED_TEST_P(CheckpointStoreConformance, FinishedRunIsSeen) {
  auto store = this->backend_.open();
  RunState state = this->example();
  this->begin(*store, state);
  for (SegmentProgress& segment : state.segments) {
    segment.position.complete = true;
    segment.items = 2;
  }
  this->save(*store, state.segments);
  this->end(store);
  const auto view = this->run(this->backend_.open()->look());
  ASSERT_TRUE(view.has_value());
  EXPECT_TRUE(view->state.complete());
  EXPECT_EQ(view->state.items(), 6U);
}

REGISTER_TYPED_TEST_SUITE_P(CheckpointStoreConformance, IsEmptyAtFirst, BegunRunFoundNext,
                            ProgressIsThereNext, ProcessesContinueInTurn, NewRunReplacesOld,
                            OtherSettingsToldApart, CompleteAfterLastSegment, RunBeginsWithProgress,
                            SecondOwnerIsRefused, KilledProcessIsFollowed, DamageIsNoticed,
                            DamagedRunStartedOver, DamagedRunLeftAlone, OlderFormatStartedOver,
                            LaterFormatIsRefused, RunKeepsItsToken, LookOwnsNothing,
                            FinishedRunIsSeen);

}  // namespace everyitem::checkpoint
