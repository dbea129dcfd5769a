#include "source/projection.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/message_of.h"

namespace everyitem::source {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const KeyNames kKeys{.hash = "pk", .range = "sk"};
constexpr AddedKeys kNone{};
constexpr AddedKeys kBoth{.hash = true, .range = true};

TEST(Projection, NoneIsLeftAlone) {
  const ScanParameters whole{.table = "t", .filter_expression = "a = b"};
  EXPECT_EQ(added_keys(whole, kKeys), kNone);
  EXPECT_EQ(with_keys(whole, kKeys).projection_expression, "");
  EXPECT_EQ(with_keys(whole, kKeys).attribute_names, "");
}

TEST(Projection, MissingKeysAreAdded) {
  const ScanParameters scan{
      .table = "t", .projection_expression = "a, #b.c[3]", .attribute_names = R"({"#b":"x.y"})"};
  EXPECT_EQ(added_keys(scan, kKeys), kBoth);
  const ScanParameters made = with_keys(scan, kKeys);
  EXPECT_EQ(made.projection_expression, "a, #b.c[3], #key, #key_");
  EXPECT_EQ(boost::json::parse(made.attribute_names),
            boost::json::parse(R"({"#b":"x.y","#key":"pk","#key_":"sk"})"));
  EXPECT_EQ(with_keys({.table = "t", .projection_expression = "a"}, {.hash = "a\"b", .range = ""})
                .attribute_names,
            R"({"#key":"a\"b"})");
}

TEST(Projection, NamedKeysNotAdded) {
  const auto added = [](const char* projection) {
    return added_keys({.table = "t",
                       .projection_expression = projection,
                       .attribute_names = R"({"#p":"pk","#o":"other"})"},
                      kKeys);
  };
  EXPECT_EQ(added("pk,sk"), kNone);
  EXPECT_EQ(added(" sk\t,\n a , #p "), kNone);
  EXPECT_EQ(added("#p, #o"), (AddedKeys{.range = true}));
  EXPECT_EQ(added("sk, pk2, a.pk, #o.pk, b[0].pk"), (AddedKeys{.hash = true}));
}

TEST(Projection, UsedPlaceholdersAreAvoided) {
  const ScanParameters made = with_keys({.table = "t",
                                         .filter_expression = "#key = #key_",
                                         .projection_expression = "#key",
                                         .attribute_names = R"({"#key":"a","#key_":"b"})"},
                                        {.hash = "pk", .range = ""});
  EXPECT_EQ(made.projection_expression, "#key, #key__");
  EXPECT_EQ(boost::json::parse(made.attribute_names).at("#key__"), "pk");
}

TEST(Projection, KeysHaveNoParts) {
  for (const char* projection : {"pk.a", "a, sk[0]", "a, pk . b"}) {
    EXPECT_THAT(
        message_of([&] { added_keys({.table = "t", .projection_expression = projection}, kKeys); }),
        AllOf(HasSubstr("--projection names a part of "),
              HasSubstr("k, which is of the table's key")))
        << projection;
  }
}

}  // namespace
}  // namespace everyitem::source
