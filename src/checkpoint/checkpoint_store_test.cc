#include "checkpoint/checkpoint_store.h"

#include <gtest/gtest.h>

namespace everyitem::checkpoint {
namespace {

TEST(Differences, NameSettingAndValues) {
  const RunIdentity stored = {{"table", "a"}, {"filter", ""}, {"index", "by-date"}};
  EXPECT_TRUE(differences(stored, stored).empty());
  EXPECT_EQ(differences(stored, {{"table", "b"}, {"filter", "x = :x"}, {"index", ""}}),
            (std::vector<std::string>{"table: was \"a\", is now \"b\"",
                                      "filter: was none, is now \"x = :x\"",
                                      "index: was \"by-date\", is now none"}));
}

TEST(Differences, UnreportedThenMatchesAnything) {
  const RunIdentity reported = {{"table", "a"}, {"account", "1", true}};
  EXPECT_TRUE(differences({{"table", "a"}, {"account", ""}}, reported).empty());
  EXPECT_TRUE(differences({{"table", "a"}}, reported).empty());
  EXPECT_EQ(differences({{"table", "a"}, {"account", "2"}}, reported),
            std::vector<std::string>{"account: was \"2\", is now \"1\""});
}

TEST(Differences, UnreportedNowMayDiffer) {
  const RunIdentity unreported = {{"table", "a"}, {"account", "", true}};
  EXPECT_TRUE(differences(unreported, unreported).empty());
  EXPECT_EQ(differences({{"table", "a"}, {"account", "1"}}, unreported),
            std::vector<std::string>{"account: was \"1\", is now not known"});
}

TEST(RunToken, IsRandom) {
  const std::string token = new_run_token();
  EXPECT_EQ(token.size(), 32U);
  EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos) << token;
  EXPECT_NE(token, new_run_token());
}

TEST(DefaultCheckpointPath, IsReadableAndDistinct) {
  const std::string path = default_checkpoint_path("/s", "orders", "to/file x", "key 1");
  EXPECT_TRUE(path.starts_with("/s/everyitem/orders--to_file_x--")) << path;
  EXPECT_TRUE(path.ends_with(".sqlite"));
  EXPECT_NE(path, default_checkpoint_path("/s", "orders", "to/file x", "key 2"));
}

// A later version must find the runs of an earlier one.
TEST(DefaultCheckpointPath, StableAcrossVersions) {
  EXPECT_EQ(default_checkpoint_path("/s", "t", "d", "a"),
            "/s/everyitem/t--d--af63dc4c8601ec8c.sqlite");
}

}  // namespace
}  // namespace everyitem::checkpoint
