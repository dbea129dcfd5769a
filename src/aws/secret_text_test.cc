#include "aws/secret_text.h"

#include <array>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "support/test_freed_memory.h"

namespace everyitem::aws {
namespace {

constexpr std::string_view kShort =
    "short secret";  // short enough to be stored in the string object

TEST(SecretText, HoldsOriginalText) {
  const SecretText secret(std::string("a secret"));
  EXPECT_EQ(std::string_view(secret), "a secret");
  EXPECT_FALSE(secret.empty());
  SecretText copy;
  EXPECT_TRUE(copy.empty());
  copy = secret;
  EXPECT_EQ(copy, secret);
  SecretText moved(std::move(copy));
  EXPECT_EQ(moved, secret);
  copy = std::move(moved);
  EXPECT_EQ(copy, secret);
}

/// The bytes of a SecretText, which are there after it has gone.
class Memory {
 public:
  bool holds(std::string_view text) const {
    const std::string_view bytes(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    return bytes.find(text) != std::string_view::npos;
  }
  SecretText* make(std::string_view text) {
    return new (bytes_.data()) SecretText(std::string(text));
  }

 private:
  alignas(SecretText) std::array<std::byte, sizeof(SecretText)> bytes_{};
};

TEST(SecretText, WipedOnceGone) {
  Memory memory;
  SecretText* secret = memory.make(kShort);
  EXPECT_TRUE(memory.holds(kShort));
  secret->~SecretText();
  EXPECT_FALSE(memory.holds(kShort));
}

TEST(SecretText, ReplacingOrMovingWipes) {
  Memory memory;
  SecretText* secret = memory.make(kShort);
  *secret = "other";
  EXPECT_FALSE(memory.holds("secret"));
  secret->~SecretText();

  secret = memory.make(kShort);
  const SecretText taken(std::move(*secret));
  EXPECT_FALSE(memory.holds(kShort));
  secret->~SecretText();
}

TEST(SecretText, WipedBeforeFree) {
  const std::string text(100, 's');
  const FreedMemory freed(text);
  { const std::string left_behind(100, 's'); }
  EXPECT_EQ(freed.blocks_with_text(), 1);  // what this is about
  {
    SecretText secret(text);
    SecretText other(secret);
    other = "short";
    other = secret;
    secret = std::move(other);
  }
  EXPECT_EQ(freed.blocks_with_text(), 1);
}

}  // namespace
}  // namespace everyitem::aws
