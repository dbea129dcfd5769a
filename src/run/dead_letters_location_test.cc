#include "run/dead_letters_location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::run {
namespace {

using checkpoint::DynamoDbLocation;
using testing::AllOf;
using testing::HasSubstr;

TEST(DeadLettersLocation, FilesAndTables) {
  for (const char* path : {"letters.ndjson", "/var/letters", "./a:b"}) {
    EXPECT_EQ(parse_dead_letters_location(path),
              DeadLettersLocation(DeadLettersInFile{.path = path}));
  }
  EXPECT_EQ(parse_dead_letters_location("dynamodb:letters"),
            DeadLettersLocation(DynamoDbLocation{.table = "letters"}));
  const std::string arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/letters";
  EXPECT_EQ(parse_dead_letters_location("dynamodb:" + arn + "/nightly/a"),
            DeadLettersLocation(
                DynamoDbLocation{.table = arn, .run = "nightly/a", .region = "eu-west-1"}));
}

TEST(DeadLettersLocation, TextIsParsedAgain) {
  for (const char* text : {"./a:b", "dynamodb:letters", "dynamodb:letters/nightly"}) {
    EXPECT_EQ(to_text(parse_dead_letters_location(text)), text);
  }
}

TEST(DeadLettersLocation, WrongOnesNameSetting) {
  for (const char* text : {"", "s3:letters", "s3://bucket/x", "dynamodb:", "dynamodb:t/",
                           "dynamodb:a b", "ssm:/letters", "none:", "-", "/tmp", "/tmp/"}) {
    EXPECT_THAT(message_of([&] { parse_dead_letters_location(text); }),
                AllOf(HasSubstr("--dead-letters is \""), testing::Not(HasSubstr("--checkpoint"))))
        << text;
  }
}

}  // namespace
}  // namespace everyitem::run
