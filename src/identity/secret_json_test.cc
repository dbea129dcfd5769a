#include "identity/secret_json.h"

#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace everyitem::identity {
namespace {

TEST(SecretDocument, GivesTextMembers) {
  const auto document = SecretDocument::parse(R"({"a":"x","b":1,"c":null,"d":"\u00e4"})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->text("a"), "x");
  EXPECT_EQ(document->text("b"), "");
  EXPECT_EQ(document->text("c"), "");
  EXPECT_EQ(document->text("d"), "ä");
  EXPECT_EQ(document->text("e"), "");
  EXPECT_EQ(document->members().at("b").as_int64(), 1);
}

TEST(SecretDocument, IsNothingElseThanAnObject) {
  for (const char* text : {"", "x", "[]", "1", "\"x\"", "{", "{} {}", "{\"a\":}", "<html>"}) {
    EXPECT_FALSE(SecretDocument::parse(text)) << text;
  }
  EXPECT_FALSE(SecretDocument::parse(std::string(1000, '[')));
}

TEST(SecretDocument, TakesTextsThatAreLongerThanItsParserHoldsAtOnce) {
  const std::string token(10'000, 't');
  const auto document = SecretDocument::parse(PaddedBuffer("{\"token\":\"" + token + "\"}"));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->text("token"), token);
}

TEST(SecretDocument, IsChangedAndWritten) {
  auto document = SecretDocument::parse(R"({"a":"x","b":[1,2]})");
  ASSERT_TRUE(document);
  document->set("a", "y");
  document->set("c", "z");
  EXPECT_EQ(document->serialized(), R"({"a":"y","b":[1,2],"c":"z"})");
}

TEST(Wipe, LeavesNothingInTheMemoryThatIsHeld) {
  std::string text(100, 's');
  text.resize(10);  // the rest is still in what it holds
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
