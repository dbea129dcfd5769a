#include "batch/base64.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace everyitem::batch {
namespace {

std::string base64(std::string_view data) {
  std::string out(base64_size(data.size()), '?');
  encode_base64(data, out.data());
  return out;
}

// RFC 4648, section 10.
TEST(Base64, RfcTestVectors) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, AgreesWithOpenssl) {
  std::mt19937 random(7);
  for (std::size_t length = 0; length < 300; ++length) {
    std::string data(length, '\0');
    for (char& c : data) {
      c = static_cast<char>(random());
    }
    std::vector<unsigned char> expected((length + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(expected.data(), reinterpret_cast<const unsigned char*>(data.data()),
                    static_cast<int>(length));
    EXPECT_EQ(base64(data), reinterpret_cast<const char*>(expected.data()));
  }
}

}  // namespace
}  // namespace everyitem::batch
