#include "base/printable.h"

#include <random>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace everyitem {
namespace {

/// As UTF-8, also where that is not allowed.
std::string encoded(char32_t character) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  const auto tail = [&](int shift) { return byte(0x80 | (character >> shift & 0x3f)); };
  if (character < 0x80) {
    return {byte(character)};
  }
  if (character < 0x800) {
    return {byte(0xc0 | character >> 6), tail(0)};
  }
  if (character < 0x10000) {
    return {byte(0xe0 | character >> 12), tail(6), tail(0)};
  }
  return {byte(0xf0 | character >> 18), tail(12), tail(6), tail(0)};
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_shown_as_it_is(char32_t character) {
  return printable(encoded(character)) == encoded(character);
}

TEST(Printable, OrdinaryTextIsUnchanged) {
  for (const std::string_view text :
       {"", "Scan on table orders: it's \"a\" \\ b", "Größe 10 µm, 東京, Ελλάδα, \U0001f600"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, WhiteSpaceBecomesSpace) {
  EXPECT_EQ(printable("a\r\n\tb\u2028c"), "a   b\\u2028c");
}

TEST(Printable, VisibleEscapesAndDirections) {
  EXPECT_EQ(printable("\x1b[2Ja\x7f\u009b\u202eb\U000e0041"),
            "\\u001b[2Ja\\u007f\\u009b\\u202eb\\udb40\\udc41");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\u0000");
}

TEST(Printable, EachInvalidByteReplaced) {
  for (const std::string_view invalid :
       {"\x80", "\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3",
        "\xe2\x82", "\xf8\x88\x80\x80\x80"}) {
    std::string expected = "a";
    for (std::size_t i = 0; i < invalid.size(); ++i) {
      expected += kReplacement;
    }
    EXPECT_EQ(printable("a" + std::string(invalid)), expected);
  }
  EXPECT_EQ(printable("\xe2\x82z"), std::string(kReplacement) + std::string(kReplacement) + "z");
}

// Every character that there may be.
TEST(Printable, CharactersShownOrEscaped) {
  int escapes = 0;
  for (char32_t character = 0; character <= 0x10ffff; ++character) {
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    const std::string shown = printable(encoded(character));
    if (surrogate) {
      ASSERT_EQ(shown,
                std::string(kReplacement) + std::string(kReplacement) + std::string(kReplacement));
      continue;
    }
    if (shown == encoded(character)) {
      continue;
    }
    ++escapes;
    ASSERT_TRUE(shown == " " || shown.starts_with("\\u")) << shown;
  }
  EXPECT_GT(escapes, 4000);
  for (const char32_t control : U"\x1b\x9b\x9d\u202e\u2066\u200b\ufeff\U000e0001") {
    EXPECT_FALSE(is_shown_as_it_is(control)) << static_cast<int>(control);
  }
}

// What it returned is not changed again, so that text may pass through it twice.
TEST(Printable, AnyBytesBecomePrintable) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::size_t length = random() % 12; text.size() < length;) {
      text += random() % 2 == 0 ? std::string(1, static_cast<char>(random()))
                                : encoded(static_cast<char32_t>(random() % 0x3000));
    }
    const std::string once = printable(text);
    ASSERT_EQ(printable(once), once);
  }
}

TEST(Printable, JsonKeepsItsMeaning) {
  const std::string text = "a\x1b[0m\u202e \U000e0041 \n\t\u2028 \"b\"\\";
  const std::string line = printable(boost::json::serialize(boost::json::value(text)));
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(boost::json::parse(line).as_string(), text);
}

}  // namespace
}  // namespace everyitem
