#include "run/run_terms.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

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

RunTerms same_terms() { return {.identity = kTermsOfRun}; }

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
    EXPECT_THAT(changed_terms(kTermsOfRun, 3, change.terms), ElementsAre(change.said));
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

}  // namespace
}  // namespace everyitem::run
