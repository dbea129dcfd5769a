#include "run/owned_run.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/run_to_end.h"

namespace everyitem::run {
namespace {

using checkpoint::RunState;
using testing::ElementsAre;
using testing::HasSubstr;

const checkpoint::RunIdentity kIdentity{{"table", "orders"}, {"stream", "backfill"}};

RunState stored_run() {
  RunState state{.identity = kIdentity, .segments = checkpoint::fresh_segments(3), .token = "t"};
  state.segments[0].position.last_evaluated_key = R"({"pk":{"S":"a"}})";
  return state;
}

RunTerms terms_of_run() { return {.identity = kIdentity}; }

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

class OwnedRunTest : public testing::Test {
 protected:
  OwnedRun claim_with(RunTerms terms) {
    return {std::make_unique<ScriptedStore>(script_), std::move(terms)};
  }
  static std::optional<RunState> claim(OwnedRun& run) { return run_to_end(run.claim()); }
  void release(OwnedRun& run) {
    run_to_end(run.release([this](const auto& text) { notices_.push_back(said(text)); }));
  }
  static std::string said(const Message& text) { return text.text(); }

  ScriptedStore::Script script_;
  std::vector<std::string> notices_;
};

TEST_F(OwnedRunTest, LoadsBeforeItBegins) {
  OwnedRun run = claim_with(terms_of_run());
  EXPECT_FALSE(claim(run));
  run_to_end(run.begin({.identity = kIdentity, .segments = {}, .token = "new"}));
  release(run);
  EXPECT_THAT(script_.calls, ElementsAre("load", "begin new", "release"));
  EXPECT_THAT(notices_, testing::IsEmpty());
}

TEST_F(OwnedRunTest, FailedBegin) {
  script_.begin_fails = true;
  OwnedRun run = claim_with(terms_of_run());
  claim(run);
  EXPECT_THROW(run_to_end(run.begin({.identity = kIdentity, .segments = {}, .token = "new"})),
               Error);
  release(run);
  EXPECT_THAT(script_.calls, ElementsAre("load", "begin new", "release"));
}

TEST_F(OwnedRunTest, ResumedPartsAreRead) {
  script_.stored = stored_run();
  OwnedRun run = claim_with(terms_of_run());
  EXPECT_TRUE(claim(run));
  EXPECT_EQ(run_to_end(run.parts().next()), script_.stored->segments[0]);
}

TEST_F(OwnedRunTest, RestartWithUnreadableState) {
  script_.damaged = true;
  OwnedRun resumed = claim_with(terms_of_run());
  EXPECT_THROW(claim(resumed), checkpoint::DamagedCheckpoint);
  RunTerms terms = terms_of_run();
  terms.restart = true;
  OwnedRun restarted = claim_with(terms);
  EXPECT_FALSE(claim(restarted));
}

TEST_F(OwnedRunTest, FailedReleaseIsNoticed) {
  script_.release_fails = true;
  OwnedRun run = claim_with(terms_of_run());
  claim(run);
  release(run);
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("could not release the run")));
}

TEST_F(OwnedRunTest, SuccessorOwnsRun) {
  script_.taken_over = true;
  OwnedRun run = claim_with(terms_of_run());
  claim(run);
  release(run);
  EXPECT_THAT(notices_, testing::IsEmpty());
}

TEST_F(OwnedRunTest, HandsOver) {
  script_.ownership = "the token";
  script_.stored = stored_run();
  OwnedRun run = claim_with(terms_of_run());
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
