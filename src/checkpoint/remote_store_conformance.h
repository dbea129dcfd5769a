// What every store must do that is on the other side of a network, besides what all must do: one
// suite, run for each of them against an emulated service.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gtest/gtest.h>

#include "aws/test_service.h"
#include "checkpoint/checkpoint_store_conformance.h"
#include "checkpoint/lease.h"
#include "emulator/service_reply.h"

namespace everyitem::checkpoint {

/// A service in which the stores under test are, and which fails as a test says.
class RemoteUnderTest : public StoreUnderTest {
 public:
  explicit RemoteUnderTest(aws::ServiceModel model)
      : service(
            [this](http::Peer& peer, const std::string& request) { return serve(peer, request); },
            model) {}

  asio::io_context& loop() override { return service.loop; }
  /// The server on it waits for connections for ever.
  void run_until(const std::function<bool()>& done) override {
    while (!done() && service.loop.run_one() > 0) {
    }
  }
  void pass_lease() override { service.clock.jump_wall(kLease + std::chrono::seconds(1)); }

  /// Each has a name of its own: "process 1", "process 2", ...
  StoreContext context() {
    return {.clock = service.clock,
            .owner = "process " + std::to_string(++processes_),
            .limits = {.attempts = 1, .elapsed = std::chrono::seconds(0)},
            .kms_key = kms_key,
            .interval = interval,
            .client = [this](const aws::ServiceModel&, const std::string&) -> aws::Client& {
              return service.client;
            }};
  }

  /// How often an operation was asked for and answered.
  std::size_t count(std::string_view operation) const {
    return static_cast<std::size_t>(std::ranges::count(operations, operation));
  }

  std::string kms_key;
  std::optional<std::chrono::seconds> interval;
  std::vector<std::string> operations;
  /// So many requests are answered, and no more.
  std::optional<std::size_t> requests_left;
  /// The last of them is done, but its answer is lost.
  bool last_answer_is_lost = false;
  /// All requests but every so many are refused as too fast; 0: none is.
  std::size_t throttle_every = 0;
  std::string refusal;  ///< the code that every request is refused with; empty for none

  /// Told of each request that was done, before its answer is sent.
  std::function<void(std::string_view operation)> on_answered;

  aws::TestService service;

 protected:
  virtual emulator::ServiceReply answer(std::string_view operation, std::string_view body) = 0;

 private:
  Awaitable<void> serve(http::Peer& peer, const std::string& request) {
    constexpr std::string_view kTarget = "X-Amz-Target: ";
    const auto target = request.find(kTarget) + kTarget.size();
    const auto dot = request.find('.', target) + 1;
    const std::string operation = request.substr(dot, request.find('\r', dot) - dot);
    std::string bytes;
    if (requests_left == 0U) {
      bytes = http::answer("", "500 Internal Server Error");
    } else if (!refusal.empty()) {
      bytes = refused(refusal);
    } else if (throttle_every > 0 && ++requests_ % throttle_every != 0) {
      bytes = refused("ThrottlingException");
    } else {
      operations.push_back(operation);
      const emulator::ServiceReply reply = answer(operation, http::body_of(request));
      if (on_answered) {
        on_answered(operation);
      }
      bytes = http::answer(reply.body, reply.status == 200 ? "200 OK" : "400 Bad Request");
      if (requests_left && --*requests_left == 0 && last_answer_is_lost) {
        bytes = http::answer("", "500 Internal Server Error");
      }
    }
    co_await peer.write(bytes);
  }

  static std::string refused(const std::string& code) {
    return http::answer(R"({"__type":")" + code + R"(","message":"in its words"})",
                        "400 Bad Request");
  }

  std::size_t processes_ = 0;
  std::size_t requests_ = 0;
};

template <typename Backend>
class RemoteStoreConformance : public CheckpointStoreConformance<Backend> {
 protected:
  /// Keeps the run for so many sleeps of `maintain`.
  void keep(CheckpointStore& store, int sleeps) {
    asio::cancellation_signal stop;
    aws::TestService& service = this->backend_.service;
    service.clock.on_sleep = [&] {
      if (--sleeps == 0) {
        // As others do it: not from within.
        asio::post(service.loop, [&stop] { stop.emit(asio::cancellation_type::terminal); });
      }
    };
    auto kept = asio::co_spawn(service.loop, store.maintain(),
                               asio::bind_cancellation_slot(stop.slot(), asio::use_future));
    service.loop.restart();
    this->backend_.run_until(
        [&] { return kept.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
    service.clock.on_sleep = {};
    try {
      kept.get();
    } catch (const boost::system::system_error& error) {
      EXPECT_EQ(error.code(), asio::error::operation_aborted);
    }
  }

  /// Begins a run over the one that is there, and goes through a few saves, each of which is
  /// flushed. Tells of each state before it may be there.
  void write_history(const std::function<void(const RunState&)>& next) {
    auto store = this->backend_.open();
    this->run(store->load());
    RunState state{.identity = {{"table", "t"}, {"values", std::string(6000, 'v')}},
                   .segments = {{.segment = 0}, {.segment = 1}, {.segment = 2}}};
    next(state);
    this->run(store->begin(state));
    for (std::uint32_t step = 1; step <= 6; ++step) {
      SegmentProgress& segment = state.segments[step % 3];
      segment.position.last_evaluated_key =
          std::string(step % 2 == 0 ? 9000 : 10, static_cast<char>('a' + step));
      segment.items = step;
      next(state);
      this->run(store->save({segment}));
      this->run(store->flush());
    }
    this->run(store->release());
  }
};

TYPED_TEST_SUITE_P(RemoteStoreConformance);

// The property that the guarantee rests on: at whatever request a process is killed, done or not,
// each segment is where it was or where it has moved to, and nothing is mixed.
TYPED_TEST_P(RemoteStoreConformance, KilledAtAnyRequestTheRunIsWhole) {
  for (const bool last_answer_is_lost : {false, true}) {
    for (std::size_t requests = 0;; ++requests) {
      RunState old = this->example();
      old.segments[1].position.last_evaluated_key = std::string(5000, 'o');
      old.segments[1].items = 1;
      old.segments.push_back({.segment = 3, .position = {.complete = true}});
      {
        auto store = this->backend_.open();
        this->run(store->load());
        this->begin(*store, old);
        this->end(store);
      }
      std::vector<RunState> may_be = {old};
      this->backend_.last_answer_is_lost = last_answer_is_lost;
      this->backend_.requests_left = requests;
      bool killed = false;
      try {
        this->write_history([&](const RunState& state) { may_be.push_back(state); });
      } catch (const Error&) {
        killed = true;
      }
      this->backend_.requests_left.reset();
      this->backend_.pass_lease();
      const auto state = this->found();
      ASSERT_TRUE(state.has_value()) << requests;
      const auto is_last = [&](const RunState& one) {
        return one.identity == state->identity && one.segments == state->segments;
      };
      // What was there before the last step, or after it; a new run may have begun without the
      // progress that the last write was to bring.
      const bool whole =
          is_last(may_be.back()) || (may_be.size() > 1 && is_last(may_be[may_be.size() - 2]));
      ASSERT_TRUE(whole) << "killed at request " << requests << ", lost " << last_answer_is_lost;
      if (!killed) {
        EXPECT_GT(requests, 12U);
        this->RecordProperty(last_answer_is_lost ? "answers_lost" : "killed",
                             std::to_string(requests));
        break;
      }
    }
  }
}

TYPED_TEST_P(RemoteStoreConformance, WhoIsDeniedIsToldWhatAndWhere) {
  this->backend_.refusal = "AccessDeniedException";
  const std::string failure = this->load_failure();
  EXPECT_NE(failure.find("AccessDeniedException"), std::string::npos) << failure;
  EXPECT_NE(failure.find("checkpoint " + this->backend_.open()->location()), std::string::npos)
      << failure;
}

TYPED_TEST_P(RemoteStoreConformance, ThrottlingIsWaitedFor) {
  this->backend_.throttle_every = 7;  // six of seven requests are refused
  std::vector<RunState> states;
  this->write_history([&](const RunState& state) { states.push_back(state); });
  this->backend_.throttle_every = 0;
  EXPECT_EQ(this->found()->segments, states.back().segments);
}

TYPED_TEST_P(RemoteStoreConformance, TheSecondOwnerIsToldWhoTheFirstIs) {
  auto first = this->backend_.open();
  this->begin(*first, this->example());
  const std::string failure = this->load_failure();
  EXPECT_NE(failure.find("process 1, whose lease ends in 30 s"), std::string::npos) << failure;
}

TYPED_TEST_P(RemoteStoreConformance, TheLeaseIsRenewedWhileNothingMoves) {
  auto store = this->backend_.open();
  this->begin(*store, this->example());
  this->keep(*store, 200);
  EXPECT_NE(this->load_failure().find("another process"), std::string::npos);
  this->save(*store, {{.segment = 0, .items = 5}});
  this->end(store);
  EXPECT_EQ(this->found()->items(), 5U);
}

TYPED_TEST_P(RemoteStoreConformance, WhoseRunWasTakenOverStops) {
  const auto stopped = this->backend_.open();
  this->begin(*stopped, this->example());
  this->save(*stopped, {{.segment = 0, .items = 1}});
  this->run(stopped->flush());
  // It stands still for longer than its lease, and does not know.
  this->run(this->backend_.service.clock.sleep(kLease + std::chrono::seconds(1)));
  auto second = this->backend_.open();
  ASSERT_EQ(this->run(second->load())->items(), 1U);
  this->save(*second, {{.segment = 0, .items = 9}});
  this->run(second->flush());
  const auto go_on = [&] {
    this->save(*stopped, {{.segment = 0, .items = 2}, {.segment = 1, .items = 2}});
    this->run(stopped->flush());
  };
  EXPECT_THROW(go_on(), OwnedByAnother);
  this->run(stopped->release());  // takes nothing from its successor
  EXPECT_NE(this->load_failure().find("process 2"), std::string::npos);
  this->end(second);
  EXPECT_EQ(this->found()->items(), 9U);
}

TYPED_TEST_P(RemoteStoreConformance, ALaterFormatIsRefused) {
  {
    auto store = this->backend_.open();
    this->begin(*store, this->example());
    this->end(store);
  }
  this->backend_.set_format(2);
  const std::string failure = this->load_failure();
  EXPECT_NE(failure.find("format is 2"), std::string::npos) << failure;
}

TYPED_TEST_P(RemoteStoreConformance, WhatIsDamagedSomewhereIsReadOrRefused) {
  this->write_history([](const RunState&) {});
  const auto whole = this->backend_.content();
  std::size_t refused = 0;
  constexpr std::uint64_t kSeeds = 1500;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    this->backend_.content() = whole;
    this->backend_.mutate(seed);
    this->backend_.pass_lease();
    try {
      const auto state = this->found();
      ASSERT_TRUE(!state || !state->segments.empty()) << "seed " << seed;
    } catch (const Error&) {
      ++refused;  // whatever else is thrown fails the test
    }
  }
  EXPECT_GT(refused, kSeeds / 20);
}

REGISTER_TYPED_TEST_SUITE_P(RemoteStoreConformance, KilledAtAnyRequestTheRunIsWhole,
                            WhoIsDeniedIsToldWhatAndWhere, ThrottlingIsWaitedFor,
                            TheSecondOwnerIsToldWhoTheFirstIs, TheLeaseIsRenewedWhileNothingMoves,
                            WhoseRunWasTakenOverStops, ALaterFormatIsRefused,
                            WhatIsDamagedSomewhereIsReadOrRefused);

}  // namespace everyitem::checkpoint
