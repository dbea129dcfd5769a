#include "cli/shell_command.h"

#include <gtest/gtest.h>

namespace everyitem::cli {
namespace {

TEST(ShellCommand, CanBePasted) {
  EXPECT_EQ(shell_command({"everyitem", "scan", "--filter", "a = :a", "--to", "it's", ""}),
            R"(everyitem scan --filter 'a = :a' --to 'it'\''s' '')");
}

}  // namespace
}  // namespace everyitem::cli
