// What every checkpoint store must do: one suite, run for each of them.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// Awaits on an event loop of its own.
template <typename T>
T run(Awaitable<T> work) {
  asio::io_context loop;
  auto result = asio::co_spawn(loop, std::move(work), asio::use_future);
  loop.run();
  return result.get();
}

/// A backend under test: the same place, opened anew at each call of `open`.
struct StoreUnderTest {
  virtual ~StoreUnderTest() = default;
  virtual std::unique_ptr<CheckpointStore> open() = 0;
};

template <typename Backend>
class CheckpointStoreConformance : public testing::Test {
 protected:
  static RunState example() {
    return {.identity = {{"table", "orders"}, {"filter", ""}},
            .segments = {{.segment = 0}, {.segment = 1}, {.segment = 2}}};
  }
  Backend backend_;
};

TYPED_TEST_SUITE_P(CheckpointStoreConformance);

TYPED_TEST_P(CheckpointStoreConformance, IsEmptyAtFirst) {
  EXPECT_FALSE(run(this->backend_.open()->load()).has_value());
  EXPECT_FALSE(run(this->backend_.open()->load()).has_value());
}

TYPED_TEST_P(CheckpointStoreConformance, ARunThatBeganIsThereForTheNextProcess) {
  run(this->backend_.open()->begin(this->example()));
  const auto state = run(this->backend_.open()->load());
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->identity, this->example().identity);
  EXPECT_EQ(state->segments, this->example().segments);
  EXPECT_FALSE(state->complete());
}

TYPED_TEST_P(CheckpointStoreConformance, ProgressIsThereForTheNextProcess) {
  // Keys are up to 2 KB + 1 KB of binary data, which base64 makes longer.
  const std::string key = R"({"pk":{"S":"é\n\")" + std::string(4096, 'x') + R"("}})";
  const SegmentProgress moved{
      .segment = 1, .position = {.last_evaluated_key = key}, .items = 1ULL << 40, .bytes = 7};
  const SegmentProgress done{
      .segment = 2, .position = {.complete = true}, .items = 3, .bytes = 9, .dead_letters = 2};
  {
    const auto store = this->backend_.open();
    run(store->begin(this->example()));
    run(store->save({moved, done}));
  }
  const auto state = run(this->backend_.open()->load());
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->segments[0], this->example().segments[0]);
  EXPECT_EQ(state->segments[1], moved);
  EXPECT_EQ(state->segments[2], done);
  EXPECT_EQ(state->items(), (1ULL << 40) + 3);
  EXPECT_EQ(state->bytes(), 16U);
  EXPECT_EQ(state->dead_letters(), 2U);
}

TYPED_TEST_P(CheckpointStoreConformance, ANewRunReplacesTheOldOne) {
  const auto store = this->backend_.open();
  run(store->begin(this->example()));
  run(store->save({{.segment = 2, .position = {.complete = true}, .items = 3, .bytes = 9}}));
  RunState other = this->example();
  other.identity[1].value = "a = b";
  other.segments.pop_back();
  run(store->begin(other));
  const auto state = run(store->load());
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->identity, other.identity);
  EXPECT_EQ(state->segments, other.segments);
}

TYPED_TEST_P(CheckpointStoreConformance, ARunIsCompleteWhenEverySegmentIs) {
  const auto store = this->backend_.open();
  RunState state = this->example();
  for (SegmentProgress& segment : state.segments) {
    segment.position.complete = true;
  }
  run(store->begin(state));
  EXPECT_TRUE(run(store->load())->complete());
}

TYPED_TEST_P(CheckpointStoreConformance, ASecondOwnerIsRefused) {
  const auto first = this->backend_.open();
  run(first->begin(this->example()));
  EXPECT_THROW(run(this->backend_.open()->load()), std::exception);
  run(first->save({{.segment = 0, .position = {.complete = true}}}));
}

REGISTER_TYPED_TEST_SUITE_P(CheckpointStoreConformance, IsEmptyAtFirst,
                            ARunThatBeganIsThereForTheNextProcess, ProgressIsThereForTheNextProcess,
                            ANewRunReplacesTheOldOne, ARunIsCompleteWhenEverySegmentIs,
                            ASecondOwnerIsRefused);

}  // namespace everyitem::checkpoint
