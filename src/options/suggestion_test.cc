#include "options/suggestion.h"

#include <gtest/gtest.h>

namespace everyitem::options {
namespace {

TEST(Suggestion, NearestWord) {
  const std::vector<std::string> flags = {"table", "stream", "to", "segments", "checkpoint"};
  EXPECT_EQ(nearest("tabel", flags), "table");
  EXPECT_EQ(nearest("strem", flags), "stream");
  EXPECT_EQ(nearest("segment", flags), "segments");
  EXPECT_EQ(nearest("chekpoint", flags), "checkpoint");
  EXPECT_EQ(nearest("ot", flags), "to");
  EXPECT_EQ(nearest("TABLE", flags), "table");
}

TEST(Suggestion, NoneForAnotherWord) {
  EXPECT_EQ(nearest("surprise", {"table", "stream", "to"}), std::nullopt);
  EXPECT_EQ(nearest("x", {"table"}), std::nullopt);
  EXPECT_EQ(nearest("tabel", {}), std::nullopt);
}

}  // namespace
}  // namespace everyitem::options
