#include "base/sha256.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/sha256_lanes.h"
#include "support/test_texts.h"

namespace everyitem {
namespace {

/// Compares with OpenSSL's digests, one by one.
void expect_all_right(std::span<const std::string_view> texts) {
  std::vector<Sha256> digests(texts.size());
  sha256_each(texts, digests);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(hex(digests[i]), hex(sha256(texts[i])))
        << "text " << i << " of " << texts.size() << ", " << texts[i].size() << " bytes";
  }
}

TEST(Sha256, ExamplesOfNist) {
  // "SHA-256 examples" of NIST's cryptographic standards, and the empty text.
  const std::vector<std::string_view> texts{
      "", "abc", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"};
  const std::vector<std::string> expected{
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"};
  std::vector<Sha256> digests(texts.size());
  sha256_each(texts, digests);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(hex(digests[i]), expected[i]);
    EXPECT_EQ(hex(sha256(texts[i])), expected[i]);
  }
  std::ranges::fill(digests, Sha256{});
  sha256_one_by_one(texts, digests);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(hex(digests[i]), expected[i]);
  }
}

TEST(Sha256, NoTexts) { sha256_each({}, {}); }

TEST(Sha256, ShortTextsAnyCount) {
  std::mt19937 random(1);
  for (std::size_t count = 1; count <= 2 * kMaxSha256Lanes + 1; ++count) {
    for (std::size_t first = 0; first <= 200; ++first) {
      std::vector<std::size_t> lengths(count);
      for (std::size_t i = 0; i < count; ++i) {
        lengths[i] = first + i * i * 20;
      }
      expect_all_right(Texts(lengths, random).views());
      expect_all_right(Texts(std::vector(count, first), random).views());
    }
  }
}

TEST(Sha256, RandomSetsOfTexts) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int set = 0; set < 300; ++set) {
    std::vector<std::size_t> lengths(random() % 10);
    for (std::size_t& length : lengths) {
      length = random() % (std::size_t{2} << random() % 16);
    }
    expect_all_right(Texts(lengths, random).views());
  }
}

}  // namespace
}  // namespace everyitem
