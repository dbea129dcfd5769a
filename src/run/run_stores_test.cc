#include "run/run_stores.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"
#include "run/run_loops.h"
#include "support/fake_clock.h"
#include "support/test_ends.h"

namespace everyitem::run {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kLettersToken = "0123456789abcdef0123456789abcdef";

class RunStoresTest : public testing::Test {
 public:
  RunStoresTest() {
    std::string name = testing::TempDir() + "run_stores_XXXXXX";
    home_ = mkdtemp(name.data());
  }
  ~RunStoresTest() override { std::filesystem::remove_all(home_); }

 protected:
  StoresContext context() {
    const auto environment = [this](std::string_view name) -> std::string {
      if (name == "AWS_REGION") {
        return "eu-west-1";
      }
      return name == "HOME" ? home_ : name == "XDG_STATE_HOME" ? state_home_ : "";
    };
    context_.emplace(RunContext{.environment = environment, .clock = clock_});
    services_.reset();
    services_.emplace(loops_, settings_, *context_, notice_);
    return {.settings = settings_,
            .context = *context_,
            .services = *services_,
            .source = source_,
            .destination = destination_,
            .notice = notice_};
  }
  std::unique_ptr<RunClaim> opened() { return open_run(context(), {}, {}); }
  std::string checkpoint_file() { return opened()->file(); }
  std::string letters() {
    const StoresContext opened_with = context();
    const auto run = open_run(opened_with, {}, {});
    return to_text(dead_letters_location(opened_with, *run, kLettersToken));
  }

  std::string home_;
  std::string state_home_;
  asio::io_context loop_{1};
  FakeClock clock_{std::chrono::system_clock::time_point()};
  RunLoops loops_{loop_.get_executor(), 1};
  ScanSettings settings_;
  TestSource source_;
  TestDestination destination_;
  Notice notice_ = [](const Message&) {};
  std::optional<RunContext> context_;
  std::optional<RunServices> services_;
};

TEST_F(RunStoresTest, DefaultFileAtHome) {
  EXPECT_THAT(checkpoint_file(), StartsWith(home_ + "/.local/state/everyitem/orders--backfill--"));
  state_home_ = "relative";
  EXPECT_THAT(checkpoint_file(), StartsWith(home_ + "/.local/state/"));
  state_home_ = home_ + "/state";
  EXPECT_THAT(checkpoint_file(), StartsWith(state_home_ + "/everyitem/orders--backfill--"));
}

TEST_F(RunStoresTest, EachRunOwnFile) {
  const std::string file = checkpoint_file();
  EXPECT_EQ(checkpoint_file(), file);
  source_.where = "elsewhere";
  const std::string other_source = checkpoint_file();
  EXPECT_NE(other_source, file);
  source_.where = "orders in test";
  destination_.where = "elsewhere";
  EXPECT_NE(checkpoint_file(), file);
  EXPECT_NE(checkpoint_file(), other_source);
}

TEST_F(RunStoresTest, PipeKeepsNothing) {
  destination_.keeps = false;
  EXPECT_EQ(opened()->location(), "");
}

TEST_F(RunStoresTest, HomeNeededByDefault) {
  home_.clear();
  EXPECT_THAT(message_of([&] { checkpoint_file(); }),
              testing::AllOf(HasSubstr("there is no folder for the checkpoint"),
                             HasSubstr("--checkpoint PATH")));
  settings_.checkpoint = checkpoint::NoCheckpoint{};
  EXPECT_EQ(checkpoint_file(), "");
  EXPECT_THAT(message_of([&] { letters(); }),
              testing::AllOf(HasSubstr("there is no folder for the dead letters"),
                             HasSubstr("--dead-letters FILE")));
  settings_.dead_letters = DeadLettersInFile{.path = "/letters"};
  EXPECT_EQ(letters(), "/letters");
}

TEST_F(RunStoresTest, LettersBesideCheckpoint) {
  settings_.checkpoint = checkpoint::SqliteLocation{.path = home_ + "/run"};
  EXPECT_EQ(letters(), home_ + "/run.0123456789abcdef.dead-letters.ndjson");
  settings_.checkpoint = checkpoint::NoCheckpoint{};
  EXPECT_THAT(letters(), testing::AllOf(StartsWith(home_ + "/.local/state/everyitem/orders--"),
                                        EndsWith(".0123456789abcdef.dead-letters.ndjson")));
  settings_.checkpoint = checkpoint::DynamoDbLocation{.table = "checkpoints", .run = "nightly"};
  EXPECT_EQ(letters(), "dynamodb:checkpoints/nightly");
}

TEST_F(RunStoresTest, LettersTellRunsApart) {
  settings_.checkpoint = checkpoint::SsmLocation{.prefix = "/one"};
  const std::string one = letters();
  EXPECT_EQ(letters(), one);
  settings_.checkpoint = checkpoint::SsmLocation{.prefix = "/other"};
  EXPECT_NE(letters(), one);
}

TEST_F(RunStoresTest, OnlyTablesAreShared) {
  settings_.share = true;
  EXPECT_THAT(message_of([&] { opened(); }), HasSubstr("--share needs a checkpoint in a table"));
  settings_.checkpoint = checkpoint::DynamoDbLocation{.table = "checkpoints", .run = "nightly"};
  EXPECT_EQ(opened()->location(), "dynamodb:checkpoints/nightly");
  EXPECT_EQ(letters(), "dynamodb:checkpoints/nightly");
}

}  // namespace
}  // namespace everyitem::run
