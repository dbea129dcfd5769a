#include "emulator/base64_decoding.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "batch/base64.h"

namespace everyitem::emulator {
namespace {

std::optional<std::string> decoded(std::string_view text) {
  std::string bytes(decoded_bytes(text), '\0');
  const auto length = decode_base64(text, bytes.data());
  return length ? std::optional(bytes.substr(0, *length)) : std::nullopt;
}

TEST(Base64Decoding, Rfc4648Vectors) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("Zg=="), "f");
  EXPECT_EQ(decoded("Zm8="), "fo");
  EXPECT_EQ(decoded("Zm9v"), "foo");
  EXPECT_EQ(decoded("Zm9vYg=="), "foob");
  EXPECT_EQ(decoded("Zm9vYmE="), "fooba");
  EXPECT_EQ(decoded("Zm9vYmFy"), "foobar");
}

TEST(Base64Decoding, OtherTextIsRefused) {
  for (const std::string_view text :
       {"Z", "Zg=", "====", "Z===", "Zg==Zg==", "Zm9?", "Zm9-", "Z m9", "=m9v", "Zm=v"}) {
    EXPECT_FALSE(decoded(text)) << text;
  }
}

TEST(Base64Decoding, UndoesTheEncoding) {
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 300; ++length) {
    std::string bytes(length, '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random());
    }
    std::string text(batch::base64_size(length), '?');
    batch::encode_base64(bytes, text.data());
    EXPECT_EQ(decoded(text), bytes) << length;
  }
}

}  // namespace
}  // namespace everyitem::emulator
