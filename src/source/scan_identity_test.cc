#include "source/scan_identity.h"

#include <gtest/gtest.h>

namespace everyitem::source {
namespace {

TEST(ScanIdentity, WhiteSpaceInExpressions) {
  const std::string canonical = "size(#s)>:min AND begins_with(#a.b[1],:x)";
  EXPECT_EQ(canonical_expression(canonical), "size(#s)>:min AND begins_with(#a.b[1],:x)");
  EXPECT_EQ(canonical_expression("  size ( #s ) >\n:min  AND\tbegins_with(#a.b[1], :x) "),
            canonical);
  EXPECT_EQ(canonical_expression(""), "");
  EXPECT_NE(canonical_expression("a AND b"), canonical_expression("aAND b"));
  EXPECT_EQ(canonical_expression("#a , #b"), "#a,#b");
}

TEST(ScanIdentity, OtherExpressionsStayOthers) {
  EXPECT_NE(canonical_expression("a = :b"), canonical_expression("a = :c"));
  EXPECT_NE(canonical_expression("not a"), canonical_expression("nota"));
}

TEST(ScanIdentity, JsonInAnyForm) {
  EXPECT_EQ(canonical_json(R"( { ":b" : {"S": "x  y"} ,
                               ":a":{"L":[ {"N":"1"} ]}})"),
            R"({":a":{"L":[{"N":"1"}]},":b":{"S":"x  y"}})");
  EXPECT_EQ(canonical_json("{"), "{");
  EXPECT_EQ(canonical_json(""), "");
}

TEST(ScanIdentity, ValuesAreTheirMark) {
  const std::string mark = values_mark(R"({":a":{"S":"secret"},":b":{"N":"1"}})");
  EXPECT_EQ(mark.size(), 23U);
  EXPECT_TRUE(mark.starts_with("sha256:"));
  EXPECT_EQ(mark, values_mark(R"({ ":b": {"N": "1"}, ":a": {"S": "secret"} })"));
  EXPECT_NE(mark, values_mark(R"({":a":{"S":"secret "},":b":{"N":"1"}})"));
  EXPECT_EQ(values_mark(""), "");
}

}  // namespace
}  // namespace everyitem::source
