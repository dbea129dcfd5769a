#include "base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace everyitem {
namespace {

TEST(Utf8, BoundariesOfEachLength) {
  const struct {
    std::string text;
    char32_t code_point;
  } characters[] = {
      {std::string(1, '\0'), 0},     {"\x7f", 0x7f},           {"\xc2\x80", 0x80},
      {"\xdf\xbf", 0x7ff},           {"\xe0\xa0\x80", 0x800},  {"\xed\x9f\xbf", 0xd7ff},
      {"\xee\x80\x80", 0xe000},      {"\xef\xbf\xbf", 0xffff}, {"\xf0\x90\x80\x80", 0x10000},
      {"\xf4\x8f\xbf\xbf", 0x10ffff}};
  for (const auto& [text, code_point] : characters) {
    const Utf8Character found = first_character(text + "x");
    EXPECT_EQ(found.bytes, text.size()) << testing::PrintToString(code_point);
    EXPECT_EQ(found.code_point, code_point);
    EXPECT_EQ(first_character(text).bytes, text.size());
    if (text.size() > 1) {
      EXPECT_EQ(first_character(text.substr(0, text.size() - 1)).bytes, 0U) << "cut off";
      EXPECT_EQ(first_character(text.substr(0, text.size() - 1) + "x").bytes, 0U);
      EXPECT_EQ(first_character(text.substr(1)).bytes, 0U) << "not its first byte";
    }
  }
}

TEST(Utf8, OtherBytesAreNone) {
  for (const char* text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x28\xa1",
        "\xe2\x82\x28", "\xf0\x9f\x28\x80"}) {
    EXPECT_EQ(first_character(text).bytes, 0U) << text;
  }
}

}  // namespace
}  // namespace everyitem
