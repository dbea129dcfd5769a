#include "source/scan_page.h"

#include <gtest/gtest.h>

#include "aws/client.h"

namespace everyitem::source {
namespace {

const KeyNames kHashAndRange{.hash = "pk", .range = "sk"};

ScanPage parse(std::string_view json, const KeyNames& keys = kHashAndRange) {
  return ScanPage::parse(PaddedBuffer(json), keys);
}

TEST(ScanPage, ItemsAreExactSlices) {
  const ScanPage page = parse(
      R"({"Count":3,"Items":[{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"M":{"pk":{"S":"inner"}}}},)"
      R"(  { "sk" : {"N":"00012345678901234567890123456789012345.6"} , "pk":{"S":"\u00e9\"}"}} ,)"
      R"({"pk":{"B":"AAE="},"sk":{"N":"3"},"l":{"L":[{"L":[]},{"NULL":true}]}}],)"
      R"("ScannedCount":7,"ConsumedCapacity":{"CapacityUnits":128.5,"TableName":"t"},)"
      R"("LastEvaluatedKey":{"pk":{"B":"AAE="},"sk":{"N":"3"}}})");
  ASSERT_EQ(page.items().size(), 3U);
  EXPECT_EQ(page.items()[0].json,
            R"({"pk":{"S":"a"},"sk":{"N":"1"},"x":{"M":{"pk":{"S":"inner"}}}})");
  EXPECT_EQ(page.items()[0].hash_key, R"({"S":"a"})");
  EXPECT_EQ(page.items()[0].range_key, R"({"N":"1"})");
  EXPECT_EQ(page.items()[1].json, R"({ "sk" : {"N":"00012345678901234567890123456789012345.6"} , )"
                                  R"("pk":{"S":"\u00e9\"}"}})");
  EXPECT_EQ(page.items()[1].hash_key, R"({"S":"\u00e9\"}"})");
  EXPECT_EQ(page.items()[2].range_key, R"({"N":"3"})");
  EXPECT_EQ(page.last_evaluated_key(), R"({"pk":{"B":"AAE="},"sk":{"N":"3"}})");
  EXPECT_EQ(page.scanned_count(), 7U);
  EXPECT_EQ(page.consumed_read_units(), 128.5);
}

TEST(ScanPage, UnstatedCostIsUnknown) {
  EXPECT_EQ(parse(R"({"Count":0,"Items":[]})").consumed_read_units(), std::nullopt);
}

TEST(ScanPage, CostMayBeFractional) {
  const auto cost = [](const std::string& units) {
    return parse(R"({"Items":[],"ConsumedCapacity":{"CapacityUnits":)" + units + "}}")
        .consumed_read_units();
  };
  EXPECT_EQ(cost("0"), 0);
  EXPECT_EQ(cost("0.5"), 0.5);
  EXPECT_EQ(cost("1000000"), 1'000'000);
  for (const char* units : {"-0.5", "1000001", "1e99", "\"1\""}) {
    EXPECT_THROW(cost(units), aws::MalformedResponse) << units;
  }
}

TEST(ScanPage, SlicesSurviveMove) {
  ScanPage page = parse(R"({"Items":[{"pk":{"S":"a"}}],"Count":1})");
  const std::string_view before = page.items()[0].json;
  const ScanPage moved = std::move(page);
  EXPECT_EQ(moved.items()[0].json.data(), before.data());
}

TEST(ScanPage, EmptyPageMayContinue) {
  const ScanPage page =
      parse(R"({"Items":[],"Count":0,"ScannedCount":9000,"LastEvaluatedKey":{"pk":{"S":"z"}}})");
  EXPECT_TRUE(page.items().empty());
  EXPECT_FALSE(page.last_evaluated_key().empty());
}

TEST(ScanPage, LastPageLacksKey) {
  const ScanPage page = parse(R"({"Count":0,"Items":[],"ScannedCount":0})");
  EXPECT_TRUE(page.last_evaluated_key().empty());
}

TEST(ScanPage, KeyNamesNeedingEscapes) {
  const KeyNames keys{.hash = "a\"b", .range = "ü"};
  const ScanPage page =
      parse(R"({"Items":[{"a\"b":{"S":"1"},"\u00fc":{"S":"2"},"ab":{"S":"3"}}],"Count":1})", keys);
  EXPECT_EQ(page.items()[0].hash_key, R"({"S":"1"})");
  EXPECT_EQ(page.items()[0].range_key, R"({"S":"2"})");
}

TEST(ScanPage, KeyNameWithinAnother) {
  const KeyNames keys{.hash = "id", .range = ""};
  const ScanPage page =
      parse(R"({"Items":[{"id2":{"S":"1"},"id":{"S":"2"},"i":{"S":"3"}}],"Count":1})", keys);
  EXPECT_EQ(page.items()[0].hash_key, R"({"S":"2"})");
}

TEST(ScanPage, UnprojectedKeysAreEmpty) {
  const ScanPage page = parse(R"({"Items":[{"x":{"S":"1"}},{}],"Count":2})");
  EXPECT_TRUE(page.items()[0].hash_key.empty());
  EXPECT_EQ(page.items()[1].json, "{}");
}

TEST(ScanPage, AddedKeysAreOmitted) {
  KeyNames keys{.hash = "p\"k", .range = "sk"};
  struct Case {
    const char* came;
    const char* without_hash;
    const char* without_both;
  };
  const Case cases[] = {
      {R"({"p\"k":{"S":"1"},"sk":{"N":"2"}})", R"({"sk":{"N":"2"}})", "{}"},
      {R"({"sk":{"N":"2"},"a":{"S":"x, y"},"p\"k":{"S":"1"}})",
       R"({"sk":{"N":"2"},"a":{"S":"x, y"}})", R"({"a":{"S":"x, y"}})"},
      {R"({"a":{"L":[{"M":{}}]},"p\u0022k":{"S":"1"},"b":{"N":"1.50"},"sk":{"N":"2"}})",
       R"({"a":{"L":[{"M":{}}]},"b":{"N":"1.50"},"sk":{"N":"2"}})",
       R"({"a":{"L":[{"M":{}}]},"b":{"N":"1.50"}})"},
      {R"({"sk":{"N":"2"},"p\"k":{"S":"1"},"\u00e4":{"B":"/+=="}})",
       R"({"sk":{"N":"2"},"\u00e4":{"B":"/+=="}})", R"({"\u00e4":{"B":"/+=="}})"},
  };
  std::string all = R"({"Items":[)";
  for (const Case& one : cases) {
    all += std::string(one.came) + (&one == std::end(cases) - 1 ? R"(],"Count":4})" : ",");
  }
  for (const bool both : {false, true}) {
    keys.added = {.hash = true, .range = both};
    const ScanPage page = parse(all, keys);
    for (std::size_t i = 0; i < std::size(cases); ++i) {
      const Item item = page.items()[i];
      EXPECT_EQ(item.json, both ? cases[i].without_both : cases[i].without_hash);
      EXPECT_EQ(key_of(item, keys), R"({"p\"k":{"S":"1"},"sk":{"N":"2"}})");
    }
  }
}

TEST(ScanPage, ItemsLackingAddedKeys) {
  const ScanPage page = parse(R"({"Items":[{},{"a":{"S":"1"}}],"Count":2})",
                              {.hash = "pk", .range = "", .added = {.hash = true}});
  EXPECT_EQ(page.items()[0].json, "{}");
  EXPECT_EQ(page.items()[1].json, R"({"a":{"S":"1"}})");
  EXPECT_EQ(key_of(page.items()[1], {.hash = "pk", .range = ""}), "");
}

TEST(PositionBehind, IsItemsPrimaryKey) {
  const KeyNames keys{.hash = "a\"b", .range = "sk"};
  const ScanPage page = parse(
      R"({"Items":[{"x":{"S":"1"},"sk":{"N":"2.50"},"a\"b":{"S":"\u00fc"}}],"Count":1})", keys);
  const auto behind = position_behind(page.items()[0], keys);
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->last_evaluated_key, R"({"a\"b":{"S":"\u00fc"},"sk":{"N":"2.50"}})");
  EXPECT_FALSE(behind->complete);
  const KeyNames hash_only{.hash = "sk", .range = ""};
  EXPECT_EQ(position_behind(page.items()[0], hash_only)->last_evaluated_key,
            R"({"sk":{"S":"\u00fc"}})");
}

TEST(PositionBehind, PartialKeyHasNone) {
  EXPECT_FALSE(position_behind({.json = "{}"}, kHashAndRange));
  EXPECT_FALSE(position_behind({.json = "{}", .hash_key = R"({"S":"a"})"}, kHashAndRange));
}

TEST(ScanPage, DuplicateMembersAreRefused) {
  for (const std::string_view body :
       {R"({"Items":[],"Items":[]})", R"({"Items":[],"Count":0,"Count":0})",
        R"({"Items":[],"LastEvaluatedKey":{"pk":{"S":"a"}},"LastEvaluatedKey":{"pk":{"S":"b"}}})",
        R"({"Items":[{"pk":{"S":"a"},"pk":{"S":"b"}}]})",
        R"({"ConsumedCapacity":{"CapacityUnits":1},"ConsumedCapacity":{"CapacityUnits":2}})"}) {
    EXPECT_THROW(ScanPage::parse(PaddedBuffer(body), {.hash = "pk", .range = {}}),
                 aws::MalformedResponse)
        << body;
  }
}

TEST(ScanPage, OtherResponseIsMalformed) {
  for (const std::string_view json :
       {"", "null", "[]", "{", R"({"Items":7})", R"({"Items":[7],"Count":1})", R"({"Count":0})",
        R"({"Items":[{"a":{"S":"x"}])", R"({"Items":[],"Count":1})", R"({"Items":[{}],"Count":0})",
        R"({"Items":[],"Count":0} {})", R"({"Items":[{"pk":"x"}],"Count":1})", "<html></html>"}) {
    EXPECT_THROW(parse(json), aws::MalformedResponse) << json;
  }
}

}  // namespace
}  // namespace everyitem::source
