#include "identity/secret_json.h"

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "aws/secret_text.h"
#include "support/test_freed_memory.h"

namespace everyitem::identity {
namespace {

TEST(SecretDocument, ReturnsStringMembers) {
  const auto document = SecretDocument::parse(R"({"a":"x","b":1,"c":null,"d":"\u00e4"})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->text("a"), "x");
  EXPECT_EQ(document->text("b"), "");
  EXPECT_EQ(document->text("c"), "");
  EXPECT_EQ(document->text("d"), "ä");
  EXPECT_EQ(document->text("e"), "");
  EXPECT_EQ(document->members().at("b").as_int64(), 1);
}

TEST(SecretDocument, RejectsNonObjects) {
  for (const char* text : {"", "x", "[]", "1", "\"x\"", "{", "{} {}", "{\"a\":}", "<html>"}) {
    EXPECT_FALSE(SecretDocument::parse(text)) << text;
  }
  EXPECT_FALSE(SecretDocument::parse(std::string(1000, '[')));
}

TEST(SecretDocument, ParsesLongStrings) {
  const std::string token(10'000, 't');
  const auto document = SecretDocument::parse(PaddedBuffer("{\"token\":\"" + token + "\"}"));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->text("token"), token);
}

TEST(SecretDocument, ChangedThenSerialized) {
  auto document = SecretDocument::parse(R"({"a":"x","b":[1,2]})");
  ASSERT_TRUE(document);
  document->set("a", "y");
  document->set("c", "z");
  EXPECT_EQ(document->serialized(), R"({"a":"y","b":[1,2],"c":"z"})");
  document->set_in("b", "d", "1");
  document->set_in("b", "d", "2");
  EXPECT_EQ(document->serialized(), R"({"a":"y","b":{"d":"2"},"c":"z"})");
}

TEST(SecretDocument, NothingInFreedMemory) {
  const std::string secret = "a-secret-of-some-length/";
  std::string long_text;
  for (int part = 0; part < 500; ++part) {  // 12 KB
    long_text += secret;
  }
  const std::string expected = "{\"text\":\"" + long_text + "\"}";
  const aws::FreedMemory freed(secret);
  std::optional<SecretDocument> document = SecretDocument::parse("{}");
  document->set("text", long_text);
  std::string text = document->serialized();
  EXPECT_EQ(text, expected);
  document = SecretDocument::parse(text);
  { EXPECT_EQ(aws::SecretText(document->text("text")), long_text); }
  document.reset();
  wipe(text);
  EXPECT_EQ(freed.blocks_with_text(), 0);
}

TEST(Wipe, NothingInHeldMemory) {
  std::string text(100, 's');
  text.resize(10);  // the rest is still in the allocated memory
  { const WipedAtEnd wiped(text); }
  EXPECT_TRUE(text.empty());
  ASSERT_GE(text.capacity(), 100U);
  EXPECT_EQ(std::string_view(text.data(), 100), std::string(100, '\0'));

  PaddedBuffer bytes("secret");
  const char* const at = bytes.data();
  wipe(bytes);
  EXPECT_TRUE(bytes.empty());
  ASSERT_EQ(bytes.data(), at);
  EXPECT_EQ(std::string(at, 6), std::string(6, '\0'));
}

}  // namespace
}  // namespace everyitem::identity
