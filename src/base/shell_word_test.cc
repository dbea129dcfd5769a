#include "base/shell_word.h"

#include <gtest/gtest.h>

namespace everyitem {
namespace {

TEST(ShellWord, QuotedWhereNeeded) {
  EXPECT_EQ(shell_word("dynamodb:TABLE/RUN"), "dynamodb:TABLE/RUN");
  EXPECT_EQ(shell_word("a = :a"), "'a = :a'");
  EXPECT_EQ(shell_word("#a"), "'#a'");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace everyitem
