#include "identity/environment_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "identity/find_credentials.h"
#include "support/temporary_home.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::optional<aws::Credentials> find_in(Variables variables) {
  EnvironmentCredentials provider(environment_of(std::move(variables)));
  return find_credentials(provider);
}

TEST(EnvironmentCredentials, FindsLongLivedKeys) {
  const auto found = find_in({{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hush"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "AKID");
  EXPECT_EQ(found->secret_access_key, "hush");
  EXPECT_EQ(found->session_token, "");
  EXPECT_FALSE(found->expires_at);
}

TEST(EnvironmentCredentials, FindsSessionToken) {
  const auto found = find_in({{"AWS_ACCESS_KEY_ID", "ASIA"},
                              {"AWS_SECRET_ACCESS_KEY", "hush"},
                              {"AWS_SESSION_TOKEN", "token"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->session_token, "token");
}

TEST(EnvironmentCredentials, NoneWhenNothingSet) {
  EXPECT_FALSE(find_in({}));
  EXPECT_FALSE(find_in({{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", ""}}));
}

TEST(EnvironmentCredentials, HalfPairNamesMissing) {
  EXPECT_THAT(message_of([] {
                find_in({{"AWS_ACCESS_KEY_ID", "AKID"}});
              }),
              HasSubstr("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not"));
  EXPECT_THAT(message_of([] {
                find_in({{"AWS_ACCESS_KEY_ID", ""}, {"AWS_SECRET_ACCESS_KEY", "hush"}});
              }),
              AllOf(HasSubstr("AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not"),
                    Not(HasSubstr("hush"))));
}

}  // namespace
}  // namespace everyitem::identity
