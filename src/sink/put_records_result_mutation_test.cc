// Mutated answers to PutRecords: each is refused, or has one result for every record.
#include <algorithm>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/client.h"
#include "sink/put_records_result.h"
#include "support/mutated_text.h"
#include "support/test_cbor.h"

namespace everyitem::sink {
namespace {

const std::string kAnswer =
    R"({"EncryptionType":"KMS","FailedRecordCount":2,"Records":[)"
    R"({"SequenceNumber":"4954","ShardId":"shardId-000000000000"},)"
    R"({"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate \"exceeded\""},)"
    R"({"ErrorCode":null,"ErrorMessage":null,"SequenceNumber":"4955","ShardId":"s\u0031"},)"
    R"({"ErrorCode":"InternalFailure","ErrorMessage":"Internal service failure."}]})";

class PutRecordsResultMutation : public testing::TestWithParam<Wire> {};

TEST_P(PutRecordsResultMutation, AcceptedAnswersMatchRequest) {
  constexpr std::uint64_t kSeeds = 20'000;
  const std::string whole =
      GetParam() == Wire::json ? kAnswer : to_cbor(boost::json::parse(kAnswer));
  std::uint64_t accepted = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    const std::string text = mutated(whole, seed);
    SCOPED_TRACE(fmt::format("seed {}", seed));
    try {
      const auto result = parse_put_records_result(PaddedBuffer(text), 4, GetParam());
      ++accepted;
      EXPECT_TRUE(std::ranges::is_sorted(result.failed));
      EXPECT_EQ(std::ranges::adjacent_find(result.failed), result.failed.end());
      EXPECT_TRUE(result.failed.empty() || result.failed.back() < 4);
    } catch (const aws::MalformedResponse&) {
      continue;
    }
  }
  EXPECT_GT(accepted, kSeeds / 20);
  EXPECT_LT(accepted, kSeeds * 3 / 4);
}

// Entries that are alike are compared, not read, unless the caller asks for shards.
TEST(PutRecordsResultEntries, ComparedAsIfRead) {
  constexpr std::uint64_t kSeeds = 20'000;
  std::string entries;
  for (int i = 0; i < 5; ++i) {
    entries += fmt::format(R"({{"SequenceNumber":"495{0}","ShardId":"shardId-00{0}"}},)", i);
  }
  const std::string whole = to_cbor(boost::json::parse(fmt::format(
      R"({{"Records":[{}{{"ErrorCode":"InternalFailure","ErrorMessage":"no"}},{}{{}}]}})", entries,
      entries)));
  const auto outcome = [](const std::string& text, const AcceptedBy& accepted_by) {
    try {
      const auto result = parse_put_records_result(PaddedBuffer(text), 12, Wire::cbor, accepted_by);
      return fmt::format("{} {} {}", fmt::join(result.failed, ","), result.invalid.size(),
                         result.code);
    } catch (const aws::MalformedResponse&) {
      return std::string("malformed");
    }
  };
  std::uint64_t accepted = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    const std::string text = mutated(whole, seed);
    const std::string compared = outcome(text, {});
    EXPECT_EQ(compared, outcome(text, [](std::uint32_t, std::string_view) {})) << "seed " << seed;
    accepted += compared != "malformed" ? 1 : 0;
  }
  EXPECT_GT(accepted, kSeeds / 20);
  EXPECT_LT(accepted, kSeeds * 3 / 4);
}

INSTANTIATE_TEST_SUITE_P(Wires, PutRecordsResultMutation, testing::Values(Wire::json, Wire::cbor),
                         [](const auto& of) { return of.param == Wire::json ? "Json" : "Cbor"; });

}  // namespace
}  // namespace everyitem::sink
