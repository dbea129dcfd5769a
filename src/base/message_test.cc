#include "base/message.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace everyitem {
namespace {

std::string in_capitals(const SettingUse& use) {
  return use.id == setting::kReadUnits ? "READ_UNITS" + (use.value.empty() ? "" : "=" + use.value)
                                       : std::string(use.id.name);
}

TEST(Message, EachDoorWordsSettings) {
  const Message message =
      "set " + setting::kReadUnits("100") + ", not " + setting::kReadPercent + ".";
  EXPECT_EQ(message.text(), "set --read-units 100, not --read-percent.");
  EXPECT_EQ(message.worded(in_capitals), "set READ_UNITS=100, not read-percent.");
  EXPECT_EQ(Message(setting::kFilter("a = :a")), "--filter 'a = :a'");
}

TEST(Message, FlagLikeWordsStay) {
  EXPECT_EQ(Message("an item's --read-units").worded(in_capitals), "an item's --read-units");
}

TEST(Message, EmptyWordsAreNothing) {
  EXPECT_TRUE(Message().empty());
  EXPECT_TRUE(Message("").empty());
  EXPECT_TRUE((Message("") + std::string()).empty());
  EXPECT_FALSE(Message(setting::kStream).empty());
}

TEST(Message, Enumerated) {
  EXPECT_EQ(enumerated({}), "");
  EXPECT_EQ(enumerated({"a"}), "a");
  EXPECT_EQ(enumerated({"a", setting::kTo, "c"}), "a, --to and c");
}

TEST(Message, ErrorKeepsItsSettings) {
  const Error error = usage_error(Message(setting::kReadUnits) + " is 0", "Give 1.");
  const std::exception& seen = error;
  EXPECT_EQ(message_from(seen).worded(in_capitals), "READ_UNITS is 0. Give 1.");
  EXPECT_EQ(message_from(std::make_exception_ptr(error)).text(), error.what());
  EXPECT_EQ(message_from(std::runtime_error("x")), "x");
}

}  // namespace
}  // namespace everyitem
