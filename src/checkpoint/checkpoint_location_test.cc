#include "checkpoint/checkpoint_location.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace everyitem::checkpoint {
namespace {

TEST(CheckpointLocation, EachKindIsParsed) {
  EXPECT_EQ(parse_checkpoint_location("none"), CheckpointLocation(NoCheckpoint{}));
  EXPECT_EQ(parse_checkpoint_location("sqlite:run.sqlite"),
            CheckpointLocation(SqliteLocation{.path = "run.sqlite"}));
  EXPECT_EQ(parse_checkpoint_location("./a:b"),
            CheckpointLocation(SqliteLocation{.path = "./a:b"}));
  EXPECT_EQ(parse_checkpoint_location("nonesuch"),
            CheckpointLocation(SqliteLocation{.path = "nonesuch"}));
  EXPECT_EQ(parse_checkpoint_location("ssm:/a/b"),
            CheckpointLocation(SsmLocation{.prefix = "/a/b"}));
  EXPECT_EQ(parse_checkpoint_location("dynamodb:table"),
            CheckpointLocation(DynamoDbLocation{.table = "table", .run = "default"}));
  EXPECT_EQ(parse_checkpoint_location("dynamodb:table/a/b"),
            CheckpointLocation(DynamoDbLocation{.table = "table", .run = "a/b"}));
  const std::string arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/checkpoints";
  EXPECT_EQ(
      parse_checkpoint_location("dynamodb:" + arn + "/run"),
      CheckpointLocation(DynamoDbLocation{.table = arn, .run = "run", .region = "eu-central-1"}));
}

TEST(CheckpointLocation, InvalidIsUsageError) {
  for (const std::string text : {"",
                                 "s3:bucket",
                                 "redis:x",
                                 "sqlite:",
                                 "sqlite:file:x?mode=memory",
                                 "sqlite::memory:",
                                 "sqlite:folder/",
                                 "folder/",
                                 "/",
                                 "-",
                                 "sqlite:-",
                                 "dynamodb:",
                                 "dynamodb:/run",
                                 "dynamodb:table/",
                                 "dynamodb:a b",
                                 "dynamodb:arn:aws:s3:::x",
                                 "ssm:",
                                 "ssm:noslash",
                                 "ssm:/a/",
                                 "ssm:/a b",
                                 "ssm:/a//b",
                                 "ssm:/aws/x",
                                 "ssm:/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15"}) {
    try {
      parse_checkpoint_location(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_TRUE(std::string(error.what()).starts_with("--checkpoint is ")) << error.what();
    }
  }
}

// Parameter Store takes 1011 characters, and a checkpoint's own names are up to 120 of them.
TEST(CheckpointLocation, LongestPrefixOfParameters) {
  const std::string longest = "ssm:/" + std::string(1011 - 120 - 1, 'p');
  EXPECT_NO_THROW(parse_checkpoint_location(longest));
  EXPECT_THROW(parse_checkpoint_location(longest + "p"), Error);
}

TEST(CheckpointLocation, TextNamesSameLocation) {
  for (const std::string text :
       {"none", "run.sqlite", "/tmp/run", "./a:b", "sqlite:none", "sqlite:a:b", "ssm:/a/b",
        "dynamodb:table", "dynamodb:table/run"}) {
    EXPECT_EQ(to_text(parse_checkpoint_location(text)), text);
  }
  EXPECT_EQ(to_text(parse_checkpoint_location("dynamodb:table/default")), "dynamodb:table");
  EXPECT_EQ(to_text(parse_checkpoint_location("sqlite:run.sqlite")), "run.sqlite");
}

}  // namespace
}  // namespace everyitem::checkpoint
