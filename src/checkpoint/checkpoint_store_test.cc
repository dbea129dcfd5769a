#include "checkpoint/checkpoint_store.h"

#include <stdexcept>

#include <gtest/gtest.h>

#include "base/error.h"

namespace everyitem::checkpoint {
namespace {

TEST(Differences, NameWhatChangedAndHow) {
  const RunIdentity stored = {{"table", "a"}, {"filter", ""}, {"index", "by-date"}};
  EXPECT_TRUE(differences(stored, stored).empty());
  EXPECT_EQ(differences(stored, {{"table", "b"}, {"filter", "x = :x"}, {"index", ""}}),
            (std::vector<std::string>{"table: was \"a\", is now \"b\"",
                                      "filter: was none, is now \"x = :x\"",
                                      "index: was \"by-date\", is now none"}));
}

/// For what needs no service.
StoreContext context_without_services() {
  static SystemClock clock;
  return {.clock = clock,
          .owner = {},
          .limits = {},
          .kms_key = {},
          .client = [](const aws::ServiceModel&, const std::string&) -> aws::Client& {
            throw std::logic_error("no service is to be called");
          }};
}

TEST(CheckpointLocation, UnknownKindsAreAUsageError) {
  for (const std::string location :
       {"", "s3:bucket", "dynamodb:", "dynamodb:a b", "dynamodb:arn:aws:s3:::x",
        "ssm:", "ssm:prefix", "ssm:/a/", "ssm:/a b", "ssm:/aws/x",
        "ssm:/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15"}) {
    try {
      open_checkpoint_store(location, context_without_services());
      FAIL() << location;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
    }
  }
}

TEST(CheckpointLocation, NoneKeepsNothing) {
  EXPECT_EQ(open_checkpoint_store("none", context_without_services())->location(), "");
}

TEST(DefaultCheckpointPath, IsReadableAndTellsRunsApart) {
  const std::string path = default_checkpoint_path("/s", "orders", "to/file x", "key 1");
  EXPECT_TRUE(path.starts_with("/s/everyitem/orders--to_file_x--")) << path;
  EXPECT_TRUE(path.ends_with(".sqlite"));
  EXPECT_NE(path, default_checkpoint_path("/s", "orders", "to/file x", "key 2"));
}

// A later version must find the runs of an earlier one.
TEST(DefaultCheckpointPath, StaysTheSameFromVersionToVersion) {
  EXPECT_EQ(default_checkpoint_path("/s", "t", "d", "a"),
            "/s/everyitem/t--d--af63dc4c8601ec8c.sqlite");
}

}  // namespace
}  // namespace everyitem::checkpoint
