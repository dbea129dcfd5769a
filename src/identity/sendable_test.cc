#include "identity/sendable.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

aws::Credentials usual() {
  return {.access_key_id = "AKID",
          .secret_access_key = "hush/+=",
          .session_token = "token",
          .expires_at = {},
          .source = "environment variables"};
}

TEST(Sendable, UsualKeysAre) {
  require_sendable(usual());
  aws::Credentials long_lived = usual();
  long_lived.session_token = "";
  require_sendable(long_lived);
}

TEST(Sendable, UnsendableNamedNotShown) {
  const struct {
    const char* text;
    const char* problem;
  } cases[] = {
      {"hush\n", "ends with a line break"},   {"hush\r\n", "ends with a line break"},
      {"hush ", "ends with a space"},         {" hush", "starts with a space"},
      {"hu\nsh", "has a line break"},         {"hush\xff", "not printable ASCII"},
      {"hush\x1b[2J", "not printable ASCII"},
  };
  for (const auto& bad : cases) {
    aws::Credentials key_id = usual();
    key_id.access_key_id = bad.text;
    aws::Credentials secret = usual();
    secret.secret_access_key = bad.text;
    aws::Credentials token = usual();
    token.session_token = bad.text;
    EXPECT_THAT(message_of([&] { require_sendable(key_id); }),
                AllOf(HasSubstr("access key ID from environment variables"), HasSubstr(bad.problem),
                      Not(HasSubstr("hu"))));
    EXPECT_THAT(message_of([&] { require_sendable(secret); }),
                AllOf(HasSubstr("secret access key from environment variables"),
                      HasSubstr(bad.problem), Not(HasSubstr("hu"))));
    EXPECT_THAT(message_of([&] { require_sendable(token); }),
                AllOf(HasSubstr("session token from environment variables"), HasSubstr(bad.problem),
                      Not(HasSubstr("hu"))));
  }
}

}  // namespace
}  // namespace everyitem::identity
