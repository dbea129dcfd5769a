#include "batch/plain_json.h"

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "batch/test_plain_json.h"

namespace everyitem::batch {
namespace {

std::string plain(std::string_view json, PlainJsonOptions options = {}) {
  PaddedBuffer text;
  PlainJson(options).append({.json = json, .hash_key = {}, .range_key = {}}, text);
  return std::string(text.view());
}

/// The plain form of one attribute's value.
std::string plain_value(std::string_view value, PlainJsonOptions options = {}) {
  const std::string item = plain(fmt::format(R"({{"a":{}}})", value), options);
  EXPECT_TRUE(item.starts_with(R"({"a":)")) << item;
  return item.substr(5, item.size() - 6);
}

TEST(PlainJson, EachType) {
  EXPECT_EQ(plain_value(R"({"S":"text"})"), R"("text")");
  EXPECT_EQ(plain_value(R"({"S":""})"), R"("")");
  EXPECT_EQ(plain_value(R"({"N":"17"})"), "17");
  EXPECT_EQ(plain_value(R"({"B":"AAEC"})"), R"("AAEC")");
  EXPECT_EQ(plain_value(R"({"BOOL":true})"), "true");
  EXPECT_EQ(plain_value(R"({"BOOL":false})"), "false");
  EXPECT_EQ(plain_value(R"({"NULL":true})"), "null");
  EXPECT_EQ(plain_value(R"({"SS":["b","a"]})"), R"(["b","a"])");
  EXPECT_EQ(plain_value(R"({"NS":["1","-2.5"]})"), "[1,-2.5]");
  EXPECT_EQ(plain_value(R"({"BS":["AAEC",""]})"), R"(["AAEC",""])");
  EXPECT_EQ(plain_value(R"({"L":[{"S":"x"},{"N":"1"},{"L":[]}]})"), R"(["x",1,[]])");
  EXPECT_EQ(plain_value(R"({"M":{"x":{"M":{}},"y":{"NULL":true}}})"), R"({"x":{},"y":null})");
}

TEST(PlainJson, MembersKeepTheirOrder) {
  EXPECT_EQ(plain(R"({"z":{"N":"1"},"a":{"N":"2"},"A":{"N":"3"}})"), R"({"z":1,"a":2,"A":3})");
  EXPECT_EQ(plain("{}"), "{}");
}

TEST(PlainJson, AllDigitsOfNumbers) {
  for (const std::string_view number :
       {"12345678901234567890123456789012345678", "0", "-0", "0.1", "1E-130",
        "9.9999999999999999999999999999999999999E+125", "-1.5e10"}) {
    EXPECT_EQ(plain_value(fmt::format(R"({{"N":"{}"}})", number)), number);
  }
}

TEST(PlainJson, NoNumberInJson) {
  for (const std::string_view number : {"+1", ".5", "5.", "01", "1e", "NaN", "", "1 ", "-"}) {
    EXPECT_EQ(plain_value(fmt::format(R"({{"N":"{}"}})", number)), fmt::format("\"{}\"", number));
    EXPECT_EQ(plain(fmt::format(R"({{"a":{{"N":"{}"}}}})", number), {.with_types = true}),
              fmt::format(R"({{"a":"{}","$types":{{"a":"N"}}}})", number));
  }
}

TEST(PlainJson, NumbersAsStrings) {
  const PlainJsonOptions options{.numbers_as_strings = true};
  EXPECT_EQ(plain_value(R"({"N":"9007199254740993"})", options), R"("9007199254740993")");
  EXPECT_EQ(plain_value(R"({"L":[{"NS":["1","2"]}]})", options), R"([["1","2"]])");
}

TEST(PlainJson, EscapesStay) {
  EXPECT_EQ(plain(R"({"a\"b":{"S":"\\"},"\u00e9":{"S":"\\\"\u0000\/"},"{}[],:":{"S":"}\""}})"),
            R"({"a\"b":"\\","\u00e9":"\\\"\u0000\/","{}[],:":"}\""})");
}

TEST(PlainJson, SpacesLeftOut) {
  EXPECT_EQ(
      plain("{ \"a b\" : { \"S\" : \" x \" } ,\n\t\"c\": {\"L\": [ {\"N\": \"1\"} , {\"BOOL\" "
            ": true } ] } }"),
      R"({"a b":" x ","c":[1,true]})");
}

TEST(PlainJson, LostTypesSaid) {
  const PlainJsonOptions options{.with_types = true};
  EXPECT_EQ(plain(R"({"id":{"N":"1"},"tags":{"SS":["a"]},"blob":{"B":"AA=="}})", options),
            R"({"id":1,"tags":["a"],"blob":"AA==","$types":{"tags":"SS","blob":"B"}})");
  EXPECT_EQ(plain(R"({"a":{"L":[{"S":""},{"M":{"b":{"NS":["1"]}}}]}})", options),
            R"({"a":["",{"b":[1]}],"$types":{"a/1/b":"NS"}})");
  EXPECT_EQ(plain(R"({"id":{"N":"1"}})", options), R"({"id":1})");
  EXPECT_EQ(plain(R"({"id":{"N":"1"}})", {.numbers_as_strings = true, .with_types = true}),
            R"({"id":"1","$types":{"id":"N"}})");
}

TEST(PlainJson, PathsAreDistinct) {
  const PlainJsonOptions options{.with_types = true};
  EXPECT_EQ(plain(R"({"a/b":{"B":""},"a~":{"B":""},"a\/\u002f\u007E\\\"":{"B":""}})", options),
            R"({"a/b":"","a~":"","a\/\u002f\u007E\\\"":"","$types":)"
            R"({"a~1b":"B","a~0":"B","a~1~1~0\\\"":"B"}})");
}

// So that it is not treated as the member that says the types.
TEST(PlainJson, AttributeNamedTypes) {
  const PlainJsonOptions options{.with_types = true};
  EXPECT_EQ(plain(R"({"$types":{"B":""},"$$types":{"S":""},"types":{"S":""}})", options),
            R"({"$$types":"","$$$types":"","types":"","$types":{"$$types":"B"}})");
  EXPECT_EQ(plain(R"({"\u0024types":{"S":""}})", options), R"({"$\u0024types":""})");
  EXPECT_EQ(plain(R"({"$t\u0079pes":{"S":""}})", options), R"({"$$t\u0079pes":""})");
  EXPECT_EQ(plain(R"({"$\types":{"S":""},"$x\\":{"S":""},"$":{"S":""}})", options),
            R"({"$\types":"","$x\\":"","$":""})");
  EXPECT_EQ(plain(R"({"m":{"M":{"$types":{"S":""}}}})", options), R"({"m":{"$types":""}})");
  EXPECT_EQ(plain(R"({"$types":{"S":""}})"), R"({"$types":""})");
}

/// Of everything that DynamoDB's JSON can hold.
class AnyItem {
 public:
  explicit AnyItem(std::uint64_t seed) : random_(seed) {}

  std::string item() { return members(4); }

 private:
  std::size_t roll(std::size_t below) { return random_() % below; }

  std::string text() {
    constexpr std::array kPieces = {"a",     "/", "~",     "$",         "types",    "\\\"",
                                    R"(\\)", " ", R"(\n)", R"(\/)",     "\xc3\xa9", R"(\u002f)",
                                    "{",     "]", ":,",    "0123456789"};
    std::string text;
    for (std::size_t i = roll(6); i > 0; --i) {
      text += kPieces.at(roll(kPieces.size()));
    }
    return '"' + text + '"';
  }
  std::string number() {
    constexpr std::array kNumbers = {"0",
                                     "-0",
                                     "0.5",
                                     "-1.5e10",
                                     "1E-130",
                                     "+1",
                                     ".5",
                                     "9.99E+125",
                                     "5.",
                                     "9007199254740993",
                                     "007",
                                     "1e",
                                     "12345678901234567890123456789012345678"};
    return fmt::format("\"{}\"", roll(2) == 0 ? kNumbers.at(roll(kNumbers.size()))
                                              : std::to_string(random_()).c_str());
  }
  std::string binary() { return roll(2) == 0 ? R"("")" : R"("AAEC/+==")"; }
  template <typename Element>
  std::string array(Element element) {
    std::string elements;
    for (std::size_t i = roll(4); i > 0; --i) {
      elements += (elements.empty() ? "" : ",") + element();
    }
    return '[' + elements + ']';
  }

  std::string value(int depth) {
    switch (roll(depth > 0 ? 10 : 8)) {
      case 0:
        return fmt::format(R"({{"S":{}}})", text());
      case 1:
        return fmt::format(R"({{"N":{}}})", number());
      case 2:
        return fmt::format(R"({{"B":{}}})", binary());
      case 3:
        return roll(2) == 0 ? R"({"BOOL":true})" : R"({"BOOL":false})";
      case 4:
        return R"({"NULL":true})";
      case 5:
        return fmt::format(R"({{"SS":{}}})", array([this] { return text(); }));
      case 6:
        return fmt::format(R"({{"NS":{}}})", array([this] { return number(); }));
      case 7:
        return fmt::format(R"({{"BS":{}}})", array([this] { return binary(); }));
      case 8:
        return fmt::format(R"({{"L":{}}})", array([this, depth] { return value(depth - 1); }));
      default:
        return fmt::format(R"({{"M":{}}})", members(depth - 1));
    }
  }
  std::string members(int depth) {
    std::string members;
    for (std::size_t i = roll(5); i > 0; --i) {
      members += fmt::format("{}{}:{}", members.empty() ? "" : ",", text(), value(depth));
    }
    return '{' + members + '}';
  }

  std::mt19937_64 random_;
};

TEST(PlainJson, AnyItemIsRestored) {
  int restored = 0;
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    const std::string item = AnyItem(seed).item();
    for (const bool numbers_as_strings : {false, true}) {
      const std::string text =
          plain(item, {.numbers_as_strings = numbers_as_strings, .with_types = true});
      const std::optional<std::string> back = PlainReader().restore(text);
      ASSERT_EQ(back.value_or(item), item) << "seed " << seed << ": " << text;
      restored += back ? 1 : 0;
    }
  }
  EXPECT_GT(restored, 5000);
}

TEST(PlainJson, DeepNesting) {
  const auto nested = [](int levels) {
    std::string value = R"({"S":"x"})";
    for (int level = 0; level < levels; ++level) {
      value = fmt::format(R"({{"{}":{}{}{}}})", level % 2 == 0 ? "L" : "M",
                          level % 2 == 0 ? "[" : R"({"m":)", value, level % 2 == 0 ? "]" : "}");
    }
    return value;
  };
  EXPECT_EQ(plain_value(nested(32)).size(), 3 + 16 * std::string_view(R"([{"m":}])").size());
  EXPECT_THROW(plain_value(nested(1000)), Error);
}

TEST(PlainJson, OtherTextIsRefused) {
  for (const std::string_view text :
       {"", "{", "[]", R"({"a")", R"({"a":)", R"({"a":1})", R"({"a":{"S":"x"})", R"({"a":{"S":1}})",
        R"({"a":{"S":"x","N":"1"}})", R"({"a":{"X":"x"}})", R"({"a":{"BOOL":1}})",
        R"({"a":{"SS":"x"}})", R"({"a":{"L":["x"]}})", R"({"a":{"S":"x"}}})", R"({"a":{"S":"x}})",
        R"({"a":{"S":"x\"}})", R"({"a":{}})", R"({"a":{"S":"x"},})"}) {
    EXPECT_THROW(plain(text), Error) << text;
  }
}

}  // namespace
}  // namespace everyitem::batch
