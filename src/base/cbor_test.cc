#include "base/cbor.h"

#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/mutated_text.h"
#include "support/test_cbor.h"

namespace everyitem {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string json_of(std::string_view hex) {
  return boost::json::serialize(parse_cbor(bytes_of(hex)));
}

// RFC 8949, appendix A (the smallest half-precision number as Boost.JSON rounds it).
TEST(Cbor, ReadsRfc8949Examples) {
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"00", "0"},
      {"17", "23"},
      {"1818", "24"},
      {"1903e8", "1000"},
      {"1a000f4240", "1000000"},
      {"1b000000e8d4a51000", "1000000000000"},
      {"1bffffffffffffffff", "18446744073709551615"},
      {"20", "-1"},
      {"3863", "-100"},
      {"f90000", "0E0"},
      {"f93c00", "1E0"},
      {"f93e00", "1.5E0"},
      {"f97bff", "6.5504E4"},
      {"f90001", "5.960464477539063E-8"},
      {"f9c400", "-4E0"},
      {"fa47c35000", "1E5"},
      {"fb3ff199999999999a", "1.1E0"},
      {"f4", "false"},
      {"f5", "true"},
      {"f6", "null"},
      {"f7", "null"},
      {"c11a514b67b0", "1363896240"},
      {"d74401020304", R"("\u0001\u0002\u0003\u0004")"},
      {"40", R"("")"},
      {"6449455446", R"("IETF")"},
      {"62c3bc", R"("ü")"},
      {"80", "[]"},
      {"8301820203820405", "[1,[2,3],[4,5]]"},
      {"98190102030405060708090a0b0c0d0e0f101112131415161718181819",
       "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]"},
      {"a26161016162820203", R"({"a":1,"b":[2,3]})"},
      {"5f42010243030405ff", R"("\u0001\u0002\u0003\u0004\u0005")"},
      {"7f657374726561646d696e67ff", R"("streaming")"},
      {"9fff", "[]"},
      {"9f018202039f0405ffff", "[1,[2,3],[4,5]]"},
      {"bf61610161629f0203ffff", R"({"a":1,"b":[2,3]})"},
      {"bf6346756ef563416d7421ff", R"({"Fun":true,"Amt":-2})"},
  };
  for (const auto& [hex, json] : examples) {
    EXPECT_EQ(json_of(hex), json) << hex;
    const std::string bytes = bytes_of(hex);
    CborReader reader(bytes);
    reader.skip();
    EXPECT_TRUE(reader.at_end()) << hex;
  }
}

TEST(Cbor, RejectsInvalidCbor) {
  for (const std::string_view hex : {"",         "18",
                                     "1c",       "1f",
                                     "3f",       "df00",
                                     "41",       "5bffffffffffffffff00",
                                     "61",       "7f",
                                     "7f41ffff", "7f7f6161ffff",
                                     "81",       "9f",
                                     "9fff00",   "a1",
                                     "a161",     "a16161",
                                     "a10101",   "bf6161",
                                     "bf6161ff", "ff",
                                     "81ff",     "c1",
                                     "0000",     "9bffffffffffffffff01"}) {
    EXPECT_THROW(json_of(hex), CborError) << hex;
  }
  EXPECT_THROW(parse_cbor(std::string(100, '\x81') + '\0'), CborError) << "nested without end";
  EXPECT_THROW(parse_cbor(std::string(100'000, '\xc1') + std::string(1, '\xff')), CborError);
}

TEST(Cbor, RejectsAnotherType) {
  std::string joined;
  EXPECT_THROW(CborReader("\x61z").unsigned_integer(), CborError);
  EXPECT_THROW(CborReader("\x20").unsigned_integer(), CborError);
  EXPECT_THROW(CborReader("\x01").string(joined), CborError);
  EXPECT_THROW(CborReader("\x01").members([](std::string_view) {}), CborError);
  EXPECT_THROW(CborReader("\xa0").elements([] {}), CborError);
  EXPECT_FALSE(CborReader("\x01").null());
  EXPECT_FALSE(CborReader("\xf5").null());
  EXPECT_TRUE(CborReader("\xf6").null());
}

TEST(Cbor, WritesShortestHead) {
  const auto head = [](std::uint64_t number) {
    std::string bytes(kMaxCborHead, '\0');
    bytes.resize(static_cast<std::size_t>(
        write_cbor_head(CborType::unsigned_integer, number, bytes.data()) - bytes.data()));
    return bytes;
  };
  EXPECT_EQ(head(23), bytes_of("17"));
  EXPECT_EQ(head(24), bytes_of("1818"));
  EXPECT_EQ(head(255), bytes_of("18ff"));
  EXPECT_EQ(head(256), bytes_of("190100"));
  EXPECT_EQ(head(65536), bytes_of("1a00010000"));
  EXPECT_EQ(head(1'000'000'000'000), bytes_of("1b000000e8d4a51000"));
}

TEST(Cbor, SkipsWhatItReads) {
  const auto document = boost::json::parse(
      R"({"Records":[{"SequenceNumber":"49","ShardId":"s"},{"ErrorCode":null,"n":-1.5}],"k":[]})");
  std::string whole;
  for (const CborLengths lengths : {CborLengths::definite, CborLengths::indefinite}) {
    whole += to_cbor(document, lengths);
  }
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    const std::string text = mutated(whole, seed);
    CborReader skipping(text);
    CborReader reading(text);
    bool skipped = true;
    bool read = true;
    try {
      skipping.skip();
    } catch (const CborError&) {
      skipped = false;
    }
    try {
      reading.json();
    } catch (const CborError&) {
      read = false;
    }
    // A name that is not a text can be skipped, but cannot name a member in JSON.
    ASSERT_TRUE(skipped || !read) << "seed " << seed;
    if (skipped && read) {
      ASSERT_EQ(skipping.bytes_left(), reading.bytes_left()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace everyitem
