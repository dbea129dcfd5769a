#include "base/md5.h"

#include <algorithm>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/md5_lanes.h"
#include "support/test_texts.h"

namespace everyitem {

void PrintTo(const Md5Method& method, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << method.name;
}

namespace {

std::string hex_digits(const Md5& digest) {
  std::string out;
  for (const unsigned char byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

/// OpenSSL's MD5, through a different call than the one under test.
Md5 expected_md5(std::string_view text) {
  Md5 digest;
  EXPECT_EQ(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_md5(), nullptr), 1);
  return digest;
}

void expect_all_right(const Md5Method& method, std::span<const std::string_view> texts) {
  std::vector<Md5> digests(texts.size());
  md5_each_by(method, texts, digests);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(hex_digits(digests[i]), hex_digits(expected_md5(texts[i])))
        << "text " << i << " of " << texts.size() << ", " << texts[i].size() << " bytes";
  }
}

/// Runs once per method this processor supports.
class Md5By : public testing::TestWithParam<Md5Method> {};

INSTANTIATE_TEST_SUITE_P(, Md5By, testing::ValuesIn(md5_methods().begin(), md5_methods().end()),
                         [](const auto& method) { return std::string(method.param.name); });

// RFC 1321, section A.5.
const std::vector<std::pair<std::string_view, std::string_view>> kRfcSuite{
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"abc", "900150983cd24fb0d6963f7d28e17f72"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"}};

TEST_P(Md5By, Rfc1321TestSuite) {
  std::vector<std::string_view> texts(kRfcSuite.size());
  std::ranges::transform(kRfcSuite, texts.begin(), [](const auto& line) { return line.first; });
  std::vector<Md5> digests(texts.size());
  md5_each_by(GetParam(), texts, digests);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(hex_digits(digests[i]), kRfcSuite[i].second);
    EXPECT_EQ(hex_digits(md5(texts[i])), kRfcSuite[i].second);
  }
}

TEST_P(Md5By, NoTexts) { md5_each_by(GetParam(), {}, {}); }

TEST_P(Md5By, ShortTextsAnyCount) {
  std::mt19937 random(1);
  for (std::size_t count = 1; count <= 20; ++count) {
    for (std::size_t first = 0; first <= 200; first += count) {
      std::vector<std::size_t> lengths(count);
      for (std::size_t i = 0; i < count; ++i) {
        lengths[i] = first + i;
      }
      expect_all_right(GetParam(), Texts(lengths, random).views());
    }
    for (std::size_t length = 0; length <= 200; ++length) {
      expect_all_right(GetParam(), Texts(std::vector(count, length), random).views());
    }
  }
}

TEST_P(Md5By, RandomSetsOfTexts) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int set = 0; set < 300; ++set) {
    // Some sets have many short texts, some have one that is longer than all others together.
    std::vector<std::size_t> lengths(random() % 100);
    for (std::size_t& length : lengths) {
      length = random() % (std::size_t{2} << random() % 14);
    }
    expect_all_right(GetParam(), Texts(lengths, random).views());
  }
}

TEST_P(Md5By, LongTextsSpanLanes) {
  std::mt19937 random(2);
  for (std::size_t count = 1; count <= 40; ++count) {
    expect_all_right(GetParam(), Texts(std::vector<std::size_t>(count, 10'000), random).views());
  }
}

TEST(Md5, MethodForAnyTexts) {
  std::mt19937 random(3);
  for (const std::size_t count : {0, 1, 2, 8, 12, 17, 500}) {
    for (const std::size_t length : {0, 16, 64, 5'000}) {
      const Texts texts(std::vector(count, length), random);
      std::vector<Md5> digests(count);
      md5_each(texts.views(), digests);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(hex_digits(digests[i]), hex_digits(expected_md5(texts.views()[i])));
      }
    }
  }
}

TEST(Md5, BlocksAreSpreadEvenly) {
  EXPECT_EQ(blocks_per_lane({.blocks = 20, .longest = 1}, 16), 2U);
  EXPECT_EQ(blocks_per_lane({.blocks = 2'000, .longest = 100}, 16), 125U);
  EXPECT_EQ(blocks_per_lane({.blocks = 500, .longest = 400}, 16), 400U);
}

}  // namespace
}  // namespace everyitem
