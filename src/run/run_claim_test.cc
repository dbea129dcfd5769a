#include "run/run_claim.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_to_end.h"
#include "support/fake_clock.h"

namespace everyitem::run {
namespace {

using checkpoint::RunState;
using testing::ElementsAre;
using testing::HasSubstr;

const checkpoint::RunIdentity kTermsOfRun{
    {"table", "orders"}, {"stream", "backfill"}, {"filter", "a = :b"}};

/// A run of three segments, of which the first has begun.
RunState begun_run() {
  RunState state{.identity = kTermsOfRun, .segments = checkpoint::fresh_segments(3), .token = "t"};
  state.segments[0].position.last_evaluated_key = R"({"pk":{"S":"a"}})";
  return state;
}

RunTerms same_terms() { return {.identity = kTermsOfRun, .shared_identity = kTermsOfRun}; }

struct Change {
  std::string name;
  RunTerms terms;
  std::string said;  ///< of it in the refusal
};

std::vector<Change> changes() {
  const auto with = [](std::string_view part, const std::string& value) {
    RunTerms terms = same_terms();
    for (checkpoint::IdentityPart& each : terms.identity) {
      each.value = each.name == part ? value : each.value;
    }
    return terms;
  };
  RunTerms other_segments = same_terms();
  other_segments.parts = 4;
  RunTerms more_parts = same_terms();
  more_parts.identity.push_back({"projection", "a"});
  return {{"table", with("table", "customers"), R"(table: was "orders", is now "customers")"},
          {"destination", with("stream", "other"), R"(stream: was "backfill", is now "other")"},
          {"filter", with("filter", ""), R"(filter: was "a = :b", is now none)"},
          {"projection", more_parts, R"(projection: was none, is now "a")"},
          {"segments", other_segments, "segments: was 3, is now 4"}};
}

TEST(Resumable, SameTermsResume) {
  const auto state = resumable(begun_run(), same_terms(), "here");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->token, "t");
  RunTerms as_many = same_terms();
  as_many.parts = 3;
  EXPECT_TRUE(resumable(begun_run(), as_many, "here"));
}

TEST(Resumable, NothingStoredBegins) {
  EXPECT_FALSE(resumable(std::nullopt, same_terms(), "here"));
}

TEST(Resumable, RestartIgnoresStored) {
  for (Change change : changes()) {
    change.terms.restart = true;
    EXPECT_FALSE(resumable(begun_run(), change.terms, "here")) << change.name;
  }
  RunTerms restart = same_terms();
  restart.restart = true;
  EXPECT_FALSE(resumable(begun_run(), restart, "here"));
}

TEST(Resumable, OtherTermsAreRefused) {
  for (const Change& change : changes()) {
    SCOPED_TRACE(change.name);
    EXPECT_THAT(changed_terms(begun_run(), change.terms), ElementsAre(change.said));
    try {
      resumable(begun_run(), change.terms, "here");
      ADD_FAILURE() << "resumed";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_THAT(error.what(), HasSubstr("the checkpoint here belongs to another run"));
      EXPECT_THAT(error.what(), HasSubstr(change.said));
      EXPECT_THAT(error.what(), HasSubstr("--restart"));
    }
  }
}

TEST(Resumable, UnreadTermsBegin) {
  RunState unread = begun_run();
  unread.segments = checkpoint::fresh_segments(3);
  for (const Change& change : changes()) {
    EXPECT_FALSE(resumable(unread, change.terms, "here")) << change.name;
  }
}

TEST(Resumable, OtherWorkersNotCounted) {
  RunState of_worker_1{.identity = kTermsOfRun,
                       .segments = checkpoint::fresh_segments(4, {.worker = 1, .workers = 2})};
  RunTerms terms = changes().front().terms;
  terms.worker = {.worker = 1, .workers = 2};
  EXPECT_FALSE(resumable(of_worker_1, terms, "here"));
  of_worker_1.segments[3].position.complete = true;
  EXPECT_THROW(resumable(of_worker_1, terms, "here"), Error);
}

/// A run that a restart which was asked for `at` has begun.
RunState restarted_run(std::int64_t at) {
  RunState state = begun_run();
  RunTerms terms = same_terms();
  terms.restart = true;
  terms.restart_asked_at = at;
  for (const checkpoint::IdentityPart& part : restart_mark(terms)) {
    state.identity.push_back(part);
  }
  return state;
}

TEST(SameRestart, SoonAfterWhileIncomplete) {
  constexpr std::int64_t kAsked = 1'795'500'000'123;
  constexpr std::int64_t kSoon = std::chrono::milliseconds(kSameRestart).count();
  RunTerms terms = same_terms();
  terms.restart = true;
  const auto is_same = [&](const RunState& state, std::int64_t asked_at) {
    terms.restart_asked_at = asked_at;
    return is_same_restart(state, terms);
  };
  RunState state = restarted_run(kAsked);
  EXPECT_TRUE(is_same(state, kAsked));
  EXPECT_TRUE(is_same(state, kAsked + kSoon));
  EXPECT_TRUE(is_same(state, kAsked - kSoon));
  EXPECT_FALSE(is_same(state, kAsked + kSoon + 1));
  EXPECT_FALSE(is_same(begun_run(), kAsked)) << "begun by no restart";
  terms.parts = 4;
  EXPECT_FALSE(is_same(state, kAsked)) << "other terms";
  terms.parts.reset();
  for (checkpoint::SegmentProgress& segment : state.segments) {
    segment.position.complete = true;
  }
  EXPECT_TRUE(is_same(state, kAsked)) << "the event arrived twice";
  EXPECT_FALSE(is_same(state, kAsked + 1)) << "a complete run is restarted on purpose";
  terms.restart_asked_at.reset();
  EXPECT_FALSE(is_same_restart(state, terms));
  terms.restart = false;
  EXPECT_FALSE(is_same(state, kAsked));
  EXPECT_THAT(restart_mark(terms), testing::IsEmpty());
}

/// Writes down what it is asked, and fails where it is told to.
class ScriptedStore final : public checkpoint::CheckpointStore {
 public:
  struct Script {
    std::optional<RunState> stored;
    std::vector<std::string> calls = {};
    bool damaged = false;
    bool begin_fails = false;
    bool release_fails = false;
    bool taken_over = false;
    std::string ownership = {};
  };

  explicit ScriptedStore(Script& script) : script_(script) {}

  Awaitable<std::optional<checkpoint::RunView>> look() override { co_return std::nullopt; }
  Awaitable<std::optional<RunState>> load() override {
    script_.calls.emplace_back("load");
    if (script_.damaged) {
      throw checkpoint::DamagedCheckpoint(ErrorKind::failed, failure("load"));
    }
    co_return script_.stored;
  }
  Awaitable<void> begin(RunState state) override {
    script_.calls.push_back("begin " + state.token);
    if (script_.begin_fails) {
      throw Error(ErrorKind::failed, failure("begin"));
    }
    co_return;
  }
  Awaitable<void> save(std::vector<checkpoint::SegmentProgress>) override { co_return; }
  Awaitable<std::string> hand_over() override {
    script_.calls.emplace_back("hand over");
    co_return script_.ownership;
  }
  Awaitable<void> release() override {
    script_.calls.emplace_back("release");
    if (script_.taken_over) {
      throw checkpoint::OwnedByAnother(ErrorKind::failed, failure("release"));
    }
    if (script_.release_fails) {
      throw Error(ErrorKind::failed, failure("release"));
    }
    co_return;
  }
  std::string location() const override { return "scripted"; }

 private:
  static ErrorDetails failure(std::string operation) {
    ErrorDetails details;
    details.operation = std::move(operation);
    details.message = "refused";
    return details;
  }

  Script& script_;
};

class RunClaimTest : public testing::Test {
 protected:
  RunClaim claim_with(RunTerms terms) {
    RunStores stores;
    stores.checkpoint = std::make_unique<ScriptedStore>(script_);
    return RunClaim(std::move(stores), std::move(terms), clock_, random_);
  }
  std::optional<RunState> claim(RunClaim& claim) {
    std::optional<RunState> state;
    const auto keep = [&]() -> Awaitable<void> { state = co_await claim.claim([] { return 5U; }); };
    run_to_end(keep());
    return state;
  }
  void release(RunClaim& claim, bool complete) {
    run_to_end(
        claim.release(complete, [this](const auto& text) { notices_.push_back(said(text)); }));
  }
  static std::string said(const Message& text) { return text.text(); }

  ScriptedStore::Script script_;
  FakeClock clock_{std::chrono::system_clock::time_point{}};
  Random random_{1};
  std::vector<std::string> notices_;
};

TEST_F(RunClaimTest, LoadsBeforeItBegins) {
  RunClaim run = claim_with(same_terms());
  EXPECT_FALSE(claim(run));
  EXPECT_FALSE(run.begun());
  run_to_end(run.begin({.identity = kTermsOfRun, .segments = {}, .token = "new"}));
  EXPECT_TRUE(run.begun());
  release(run, true);
  EXPECT_THAT(script_.calls, ElementsAre("load", "begin new", "release"));
  EXPECT_THAT(notices_, testing::IsEmpty());
}

TEST_F(RunClaimTest, FailedBegin) {
  script_.begin_fails = true;
  RunClaim run = claim_with(same_terms());
  claim(run);
  EXPECT_THROW(run_to_end(run.begin({.identity = kTermsOfRun, .segments = {}, .token = "new"})),
               Error);
  EXPECT_FALSE(run.begun());
  release(run, false);
  EXPECT_THAT(script_.calls, ElementsAre("load", "begin new", "release"));
}

TEST_F(RunClaimTest, ResumedRunHasBegun) {
  script_.stored = begun_run();
  RunClaim run = claim_with(same_terms());
  EXPECT_TRUE(claim(run));
  EXPECT_TRUE(run.begun());
}

TEST_F(RunClaimTest, RestartWithUnreadableState) {
  script_.damaged = true;
  RunClaim resumed = claim_with(same_terms());
  EXPECT_THROW(claim(resumed), checkpoint::DamagedCheckpoint);
  RunTerms terms = same_terms();
  terms.restart = true;
  RunClaim restarted = claim_with(terms);
  EXPECT_FALSE(claim(restarted));
}

TEST_F(RunClaimTest, FailedReleaseIsNoticed) {
  script_.release_fails = true;
  RunClaim run = claim_with(same_terms());
  claim(run);
  release(run, true);
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("could not release the run")));
}

TEST_F(RunClaimTest, SuccessorOwnsRun) {
  script_.taken_over = true;
  RunClaim run = claim_with(same_terms());
  claim(run);
  release(run, false);
  EXPECT_THAT(notices_, testing::IsEmpty());
}

TEST_F(RunClaimTest, HandsOver) {
  script_.ownership = "the token";
  script_.stored = begun_run();
  RunClaim run = claim_with(same_terms());
  claim(run);
  std::string ownership;
  const auto keep = [&]() -> Awaitable<void> {
    ownership = co_await run.hand_over([](const auto&) {});
  };
  run_to_end(keep());
  EXPECT_EQ(ownership, "the token");
  EXPECT_THAT(script_.calls, ElementsAre("load", "hand over", "release"));
}

}  // namespace
}  // namespace everyitem::run
