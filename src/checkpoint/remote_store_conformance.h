// What every store must do that is on the other side of a network, besides what all must do: one
// suite, run for each of them against an emulated service.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gtest/gtest.h>

#include "checkpoint/checkpoint_store_conformance.h"
#include "checkpoint/lease.h"
#include "emulator/service_reply.h"
#include "support/test_service.h"

namespace everyitem::checkpoint {

/// A service in which the stores under test are, and which fails as a test says.
class RemoteUnderTest : public StoreUnderTest {
 public:
  explicit RemoteUnderTest(aws::ServiceModel model)
      : service(
            [this](http::Peer& peer, const std::string& request) { return serve(peer, request); },
            model, {}, aws::kOneAttempt) {}

  asio::io_context& loop() override { return service.loop; }
  /// The server on it waits for connections forever.
  void run_until(const std::function<bool()>& done) override {
    while (!done() && service.loop.run_one() > 0) {
    }
  }
  /// Each has a name of its own: "process 1", "process 2", ...
  StoreContext context() {
    return {.clock = service.clock,
            .owner = "process " + std::to_string(++processes_),
            .kms_key = kms_key,
            .interval = interval,
            .client = [this](const aws::ServiceModel&, const std::string&) -> aws::Client& {
              return service.client;
            },
            .notice = [this](const Message& text) { notices.push_back(text.text()); },
            .handed_over = handed_over};
  }

  /// How often an operation was asked for and answered.
  std::size_t count(std::string_view operation) const {
    return static_cast<std::size_t>(std::ranges::count(operations, operation));
  }

  std::string kms_key;
  std::string handed_over;  ///< to the stores that are opened
  std::vector<std::string> notices;
  std::optional<std::chrono::seconds> interval;
  std::vector<std::string> operations;
  /// This many requests are answered, and no more.
  std::optional<std::size_t> requests_left;
  /// The last of them is done, but its answer is lost.
  bool last_answer_is_lost = false;
  /// All requests but every N-th are throttled; 0: none is.
  std::size_t throttle_every = 0;
  std::string refusal;  ///< the code that every request is refused with; empty for none

  /// Told of requests that wait for their answer, one more or one less.
  std::function<void(int change)> on_arrived;

  /// What becomes of one request.
  enum class Fate {
    fails,      ///< an error is answered, and nothing is done
    cut_off,    ///< it is done, and its answer is lost
    lands_late  ///< its answer is lost, and it is done after others that came later
  };
  struct Fault {
    std::size_t request = 0;  ///< counted from 1 since the fault was set
    Fate fate = Fate::fails;
  };
  void set_fault(std::optional<Fault> next) {
    fault_ = next;
    arrived_ = 0;
  }
  bool fault_has_come() const { return fault_ && arrived_ >= fault_->request; }
  bool something_is_to_land() const { return late_.has_value(); }
  /// What is late is done once this many more requests were.
  void land_after(std::size_t requests) { lands_after_ = requests; }
  void land() {
    if (const auto landing = std::exchange(late_, {})) {
      answer(landing->first, landing->second);
    }
    lands_after_.reset();
  }

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
    if (on_arrived) {
      on_arrived(+1);
      for (int turns = 0; turns < 50; ++turns) {  // so that others can arrive
        co_await asio::post(service.loop, asio::use_awaitable);
      }
      on_arrived(-1);
    }
    ++arrived_;
    const bool is_faulty = fault_ && arrived_ == fault_->request;
    if (is_faulty && fault_->fate != Fate::cut_off) {
      if (fault_->fate == Fate::lands_late) {
        late_.emplace(operation, http::body_of(request));
      }
      bytes = http::answer("", "500 Internal Server Error");
    } else if (requests_left == 0U) {
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
      if ((requests_left && --*requests_left == 0 && last_answer_is_lost) || is_faulty) {
        bytes = http::answer("", "500 Internal Server Error");
      }
      if (lands_after_ && --*lands_after_ == 0) {
        land();
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
  std::optional<Fault> fault_;
  std::size_t arrived_ = 0;
  std::optional<std::pair<std::string, std::string>> late_;  ///< operation and body
  std::optional<std::size_t> lands_after_;
};

template <typename Backend>
class RemoteStoreConformance : public CheckpointStoreConformance<Backend> {
 protected:
  /// Keeps the run for this many sleeps of `maintain`.
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
                   .segments = {{.segment = 0}, {.segment = 1}, {.segment = 2}},
                   .token = new_run_token()};
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
TYPED_TEST_P(RemoteStoreConformance, KillAtAnyRequest) {
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

TYPED_TEST_P(RemoteStoreConformance, DenialCodeAndLocation) {
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

TYPED_TEST_P(RemoteStoreConformance, RefusalNamesFirstOwner) {
  auto first = this->backend_.open();
  this->begin(*first, this->example());
  const std::string failure = this->load_failure(first.get());
  EXPECT_NE(failure.find("another process owns this run: process 1"), std::string::npos) << failure;
}

TYPED_TEST_P(RemoteStoreConformance, WaitsForKilledOwner) {
  {
    const auto killed = this->backend_.open();
    this->begin(*killed, this->example());
  }
  // Whatever the machines' clocks say.
  this->backend_.service.clock.jump_wall(-std::chrono::hours(24 * 400));
  const auto before = this->backend_.service.clock.now();
  EXPECT_TRUE(this->found().has_value());
  const auto waited = this->backend_.service.clock.now() - before;
  EXPECT_GE(waited, kLease);
  EXPECT_LE(waited, kLease + std::chrono::seconds(2));
  EXPECT_EQ(this->backend_.notices,
            std::vector<std::string>{"waiting up to 30 s for the lease of process 1"});
  const auto released = this->backend_.service.clock.now();
  EXPECT_TRUE(this->found().has_value());
  EXPECT_EQ(this->backend_.service.clock.now(), released) << "nobody owned it";
}

TYPED_TEST_P(RemoteStoreConformance, HandedOverRunTaken) {
  auto first = this->backend_.open();
  this->begin(*first, this->example());
  this->save(*first, {{.segment = 0, .items = 4}});
  this->backend_.handed_over = this->run(first->hand_over());
  EXPECT_FALSE(this->backend_.handed_over.empty());
  this->end(first);  // does nothing any more
  EXPECT_TRUE(this->run(this->backend_.open()->look())->owner.has_value());
  const auto before = this->backend_.service.clock.now();
  auto second = this->backend_.open();
  EXPECT_EQ(this->run(second->load())->items(), 4U);
  EXPECT_EQ(this->backend_.service.clock.now(), before);
  EXPECT_TRUE(this->backend_.notices.empty());
  // It is good for one.
  EXPECT_NE(this->load_failure(second.get()).find("another process owns this run"),
            std::string::npos);
  this->end(second);
}

TYPED_TEST_P(RemoteStoreConformance, TwoClaimsOneOwner) {
  {
    auto before = this->backend_.open();
    this->begin(*before, this->example());
    this->end(before);
  }
  std::vector<std::unique_ptr<CheckpointStore>> stores;
  stores.push_back(this->backend_.open());
  stores.push_back(this->backend_.open());
  std::size_t owners = 0;
  std::size_t refused = 0;
  std::size_t ended = 0;
  const auto own = [&](CheckpointStore& store) -> Awaitable<void> {
    co_await store.load();
    ++owners;
    co_await store.maintain();
  };
  const auto on_end = [&](const std::exception_ptr& failure) {
    ++ended;
    try {
      if (failure) {
        std::rethrow_exception(failure);
      }
    } catch (const OwnedByAnother&) {
      ++refused;
    } catch (const boost::system::system_error& error) {
      EXPECT_EQ(error.code(), asio::error::operation_aborted);
    }
  };
  std::vector<asio::cancellation_signal> stops(stores.size());
  for (std::size_t i = 0; i < stores.size(); ++i) {
    asio::co_spawn(this->backend_.loop(), own(*stores[i]),
                   asio::bind_cancellation_slot(stops[i].slot(), on_end));
  }
  this->backend_.loop().restart();
  this->backend_.run_until([&] { return refused == 1 || owners == 2; });
  asio::post(this->backend_.loop(), [&] {
    for (asio::cancellation_signal& stop : stops) {
      stop.emit(asio::cancellation_type::terminal);
    }
  });
  this->backend_.run_until([&] { return ended == 2; });
  EXPECT_EQ(owners, 1U);
  EXPECT_EQ(refused, 1U);
}

TYPED_TEST_P(RemoteStoreConformance, IdleLeaseIsRenewed) {
  auto store = this->backend_.open();
  this->begin(*store, this->example());
  this->keep(*store, 200);
  EXPECT_NE(this->load_failure(store.get()).find("another process"), std::string::npos);
  this->save(*store, {{.segment = 0, .items = 5}});
  this->end(store);
  EXPECT_EQ(this->found()->items(), 5U);
}

TYPED_TEST_P(RemoteStoreConformance, ReplacedOwnerStops) {
  const auto stopped = this->backend_.open();
  this->begin(*stopped, this->example());
  this->save(*stopped, {{.segment = 0, .items = 1}});
  this->run(stopped->flush());
  // It stalls for longer than its lease, and does not know.
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
  EXPECT_EQ(this->run(this->backend_.open()->look())->owner->name, "process 2");
  this->end(second);
  EXPECT_EQ(this->found()->items(), 9U);
}

TYPED_TEST_P(RemoteStoreConformance, DamageReadOrRefused) {
  this->write_history([](const RunState&) {});
  const auto whole = this->backend_.content();
  std::size_t refused = 0;
  constexpr std::uint64_t kSeeds = 1500;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    this->backend_.content() = whole;
    this->backend_.mutate(seed);
    try {
      const auto state = this->found();
      ASSERT_TRUE(!state || !state->segments.empty()) << "seed " << seed;
    } catch (const Error&) {
      ++refused;  // whatever else is thrown fails the test
    }
  }
  EXPECT_GT(refused, kSeeds / 20);
}

/// What a process was told to do.
enum class Command { start, resume, restart_unfinished, restart_finished, hand_over };

/// What is known of each run that may be there: what its segments have at least, since it was
/// acknowledged, and at most, since it was tried.
class KnownRuns {
 public:
  struct Known {
    RunIdentity identity;
    std::vector<std::uint64_t> acknowledged;  ///< steps, by segment
    std::vector<std::uint64_t> tried;
  };

  /// Steps after which a segment is complete.
  static constexpr std::uint64_t kSteps = 2;

  static SegmentProgress at_step(std::uint32_t segment, std::uint64_t step) {
    return {.segment = segment,
            .position = {.last_evaluated_key = step > 0 && step < kSteps ? "key" : "",
                         .complete = step == kSteps},
            .items = step};
  }

  void begins(const RunState& state) {
    const std::vector<std::uint64_t> none(state.segments.size());
    runs_[state.token] = {.identity = state.identity, .acknowledged = none, .tried = none};
    may_be_there_.insert(state.token);
  }
  void has_begun(const RunState& state) {
    may_be_there_ = {state.token};
    is_there_ = true;
  }
  Known& operator[](const std::string& token) { return runs_.at(token); }

  void check(const std::optional<RunState>& state) const {
    if (!state) {
      EXPECT_FALSE(is_there_) << "the run is gone";
      return;
    }
    ASSERT_TRUE(runs_.contains(state->token)) << "no run has this token: " << state->token;
    EXPECT_TRUE(may_be_there_.contains(state->token)) << "an older run is back";
    const Known& known = runs_.at(state->token);
    EXPECT_EQ(state->identity, known.identity) << "a mixture";
    ASSERT_EQ(state->segments.size(), known.tried.size());
    if (state->complete()) {
      std::uint64_t tried = 0;
      for (const std::uint64_t step : known.tried) {
        EXPECT_EQ(step, kSteps) << "complete before it is";
        tried += step;
      }
      EXPECT_EQ(state->items(), tried);
      return;
    }
    for (const SegmentProgress& segment : state->segments) {
      EXPECT_GE(segment.items, known.acknowledged[segment.segment]) << "progress is lost";
      EXPECT_LE(segment.items, known.tried[segment.segment]) << "progress is invented";
      EXPECT_EQ(segment, at_step(segment.segment, segment.items));
    }
  }

 private:
  std::map<std::string, Known> runs_;
  std::set<std::string> may_be_there_;  ///< the last that has begun for certain, and tries since
  bool is_there_ = false;
};

template <typename Backend>
class FailingCalls : public RemoteStoreConformance<Backend> {
 protected:
  static constexpr std::uint32_t kSegments = 2;

  static RunState run_of(const std::string& table) {
    return {.identity = {{"table", table}},
            .segments = fresh_segments(kSegments),
            .token = new_run_token()};
  }

  /// A whole process, as the program is one: what fails ends it.
  Awaitable<void> process(CheckpointStore& store, Command command, std::string& handed_over) {
    const bool restarts =
        command == Command::restart_finished || command == Command::restart_unfinished;
    std::optional<RunState> state = co_await store.load();
    known_.check(state);
    if (!state || restarts) {
      state = run_of(restarts ? "new" : "old");
      known_.begins(*state);
      co_await store.begin(*state);
      known_.has_begun(*state);
    }
    const std::string token = state->token;
    if (!state->complete()) {
      co_await read_segments(store, *state, command == Command::hand_over ? 1 : KnownRuns::kSteps);
    }
    if (command == Command::hand_over) {
      handed_over = co_await store.hand_over();
    } else {
      co_await store.release();
    }
  }

  Awaitable<void> read_segments(CheckpointStore& store, const RunState& state,
                                std::uint64_t last_step) {
    KnownRuns::Known& known = known_[state.token];
    for (std::uint64_t step = 1; step <= last_step; ++step) {
      std::vector<SegmentProgress> moved;
      for (const SegmentProgress& segment : state.segments) {
        if (segment.items < step) {
          moved.push_back(KnownRuns::at_step(segment.segment, step));
          known.tried[segment.segment] = std::max(known.tried[segment.segment], step);
        }
      }
      if (!moved.empty()) {
        co_await store.save(moved);
        co_await store.flush();
      }
      for (const SegmentProgress& progress : moved) {
        known.acknowledged[progress.segment] = step;
      }
    }
  }

  /// One process, which has to do `command`; and what it does when that fails.
  bool run_process(Command command, std::string& handed_over) {
    auto store = this->backend_.open();
    try {
      this->run(process(*store, command, handed_over));
      return true;
    } catch (const Error&) {
      try {
        this->run(store->release());
      } catch (const Error&) {
        return false;  // told to the user, and left to the lease
      }
    }
    return false;
  }

  void prepare(Command command) {
    if (command == Command::start) {
      return;
    }
    RunState old = run_of("old");
    known_.begins(old);
    auto store = this->backend_.open();
    this->begin(*store, old);
    known_.has_begun(old);
    if (command == Command::restart_finished) {
      this->run(read_segments(*store, old, KnownRuns::kSteps));
    } else if (command != Command::hand_over) {
      const SegmentProgress first = KnownRuns::at_step(0, 1);
      known_[old.token].tried[0] = 1;
      this->save(*store, {first});
      this->run(store->flush());
      known_[old.token].acknowledged[0] = 1;
    }
    this->end(store);
  }

  std::optional<RunState> seen() {
    const auto view = this->run(this->backend_.open()->look());
    return view ? std::optional(view->state) : std::nullopt;
  }

  /// Lets one request go wrong, and then tells another process the same. False when there are
  /// fewer requests.
  bool goes_well(Command command, RemoteUnderTest::Fault fault, std::size_t landing) {
    this->backend_.content().clear();
    this->backend_.handed_over.clear();
    this->backend_.set_fault(std::nullopt);
    known_ = {};
    prepare(command);
    this->backend_.set_fault(fault);
    run_process(command, this->backend_.handed_over);
    if (!this->backend_.fault_has_come()) {
      return false;
    }
    if (landing == 0) {
      this->backend_.land();
    }
    known_.check(seen());
    if (landing < kNever) {
      this->backend_.land_after(landing);
    }
    // What lands late may look like a sign of life; then the command is run once more.
    std::string unused;
    bool done = false;
    for (int tries = 0; !done && tries < 3; ++tries) {
      done = run_process(command == Command::hand_over ? Command::resume : command, unused);
    }
    EXPECT_TRUE(done);
    this->backend_.land();
    const std::optional<RunState> last = seen();
    known_.check(last);
    EXPECT_TRUE(last && last->complete()) << "it is not done";
    if (last) {
      EXPECT_EQ(last->items(), kSegments * KnownRuns::kSteps);
    }
    return true;
  }

  static constexpr std::size_t kNever = 1000;

  KnownRuns known_;
};

TYPED_TEST_SUITE_P(FailingCalls);

TYPED_TEST_P(FailingCalls, NoFailureSpoilsRun) {
  using Fate = RemoteUnderTest::Fate;
  // After how many more requests what is late lands: before the next process, in it, after it.
  const std::vector<std::size_t> landings = {0, 1, 3, 6, this->kNever};
  std::size_t runs = 0;
  for (const Command command : {Command::start, Command::resume, Command::restart_unfinished,
                                Command::restart_finished, Command::hand_over}) {
    for (const Fate fate : {Fate::fails, Fate::cut_off, Fate::lands_late}) {
      for (const std::size_t landing :
           fate == Fate::lands_late ? landings : std::vector<std::size_t>{this->kNever}) {
        std::size_t request = 1;
        while (this->goes_well(command, {.request = request, .fate = fate}, landing)) {
          ASSERT_FALSE(this->HasFailure())
              << "command " << static_cast<int>(command) << ", fate " << static_cast<int>(fate)
              << ", request " << request << ", landing " << landing;
          ++request;
        }
        EXPECT_GT(request, 5U);
        runs += request - 1;
      }
    }
  }
  this->RecordProperty("runs", std::to_string(runs));
}

REGISTER_TYPED_TEST_SUITE_P(FailingCalls, NoFailureSpoilsRun);

REGISTER_TYPED_TEST_SUITE_P(RemoteStoreConformance, KillAtAnyRequest, DenialCodeAndLocation,
                            ThrottlingIsWaitedFor, RefusalNamesFirstOwner, WaitsForKilledOwner,
                            HandedOverRunTaken, TwoClaimsOneOwner, IdleLeaseIsRenewed,
                            ReplacedOwnerStops, DamageReadOrRefused);

}  // namespace everyitem::checkpoint
