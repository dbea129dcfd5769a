#include "source/expression_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"

namespace everyitem::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ExpressionNames, Placeholders) {
  const std::string_view expression = "#s=:a AND contains(#tags[0].#b2, :_x)AND NOT #s <> :a";
  EXPECT_THAT(placeholders(expression, '#'), ElementsAre("#b2", "#s", "#tags"));
  EXPECT_THAT(placeholders(expression, ':'), ElementsAre(":_x", ":a"));
  EXPECT_THAT(placeholders("#AZaz09_-", '#'), ElementsAre("#AZaz09_"));
  EXPECT_THAT(placeholders("#a@#b[#c`#d{#e/#f:", '#'),
              ElementsAre("#a", "#b", "#c", "#d", "#e", "#f"));
  EXPECT_THAT(placeholders("", '#'), IsEmpty());
  EXPECT_THAT(placeholders("a #", '#'), ElementsAre("#"));
}

TEST(ExpressionNames, UsedAndDefinedMatch) {
  EXPECT_NO_THROW(require_same(setting::kNames, {}, {}));
  EXPECT_NO_THROW(require_same(setting::kNames, {"#a", "#b"}, {"#a", "#b"}));
  EXPECT_THAT(message_of([] {
                require_same(setting::kNames, {"#a"}, {"#a", "#b"});
              }),
              HasSubstr("--names does not define #b"));
  EXPECT_THAT(message_of([] {
                require_same(setting::kValues, {":a", ":b"}, {":a"});
              }),
              HasSubstr("--values defines :b, which no expression uses"));
}

}  // namespace
}  // namespace everyitem::source
