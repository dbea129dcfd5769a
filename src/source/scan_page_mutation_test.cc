// Whatever comes instead of a page is refused or read, and never read beyond.
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/client.h"
#include "source/scan_page.h"
#include "support/mutated_text.h"

namespace everyitem::source {
namespace {

const std::string kPage =
    R"({"ConsumedCapacity":{"CapacityUnits":128.5,"TableName":"orders"},"Count":4,"Items":[)"
    R"({"pk":{"S":"a"},"sk":{"N":"1"},"x":{"M":{"pk":{"S":"in\"ner"},"l":{"L":[{"L":[]},)"
    R"({"NULL":true}]}}}},{"pk":{"S":"\u00e9\\"},"sk":{"N":"-1.5e10"},"b":{"BOOL":false}},{},)"
    R"( { "sk" : {"N":"2"} , "p\u006b":{"B":"AAE="} } ],"LastEvaluatedKey":{"pk":{"B":"AAE="},)"
    R"("sk":{"N":"2"}},"ScannedCount":9})";

/// Empty, or an object within `bytes`.
void expect_slice(std::string_view slice, std::string_view bytes) {
  if (!slice.empty()) {
    ASSERT_GE(slice.data(), bytes.data());
    ASSERT_LE(slice.data() + slice.size(), bytes.data() + bytes.size());
    EXPECT_EQ(slice.front(), '{');
    EXPECT_EQ(slice.back(), '}');
  }
}

TEST(ScanPageMutation, AcceptedSlicesWithinInput) {
  constexpr std::uint64_t kSeeds = 20'000;
  std::uint64_t accepted = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    const std::string text = mutated(kPage, seed);
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, text));
    PaddedBuffer body(text);
    const std::string_view bytes = body.view();
    try {
      const ScanPage page = ScanPage::parse(std::move(body), {.hash = "pk", .range = "sk"});
      ++accepted;
      for (const Item item : page.items()) {
        EXPECT_FALSE(item.json.empty());
        expect_slice(item.json, bytes);
        expect_slice(item.hash_key, item.json);
        expect_slice(item.range_key, item.json);
      }
      expect_slice(page.last_evaluated_key(), bytes);
    } catch (const aws::MalformedResponse&) {
      continue;
    }
  }
  // Most accidents to values cannot be noticed: that is what the checksum is for.
  EXPECT_GT(accepted, kSeeds / 20);
  EXPECT_LT(accepted, kSeeds * 3 / 4);
}

}  // namespace
}  // namespace everyitem::source
