#include "identity/credentials_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "identity/find_credentials.h"
#include "support/temporary_home.h"
#include "support/test_connector.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The test's view of a provider that the chain owns.
struct Script {
  std::string key_id;  ///< empty if it has none
  int finds = 0;
  int invalidations = 0;
};

class ScriptedProvider final : public aws::CredentialsProvider {
 public:
  ScriptedProvider(Script& script, std::string place) : script_(script), place_(std::move(place)) {}

  Awaitable<std::optional<aws::Credentials>> find() override {
    ++script_.finds;
    if (script_.key_id.empty()) {
      co_return std::nullopt;
    }
    co_return aws::Credentials{.access_key_id = script_.key_id,
                               .secret_access_key = "hush",
                               .session_token = {},
                               .expires_at = {}};
  }
  void invalidate() override { ++script_.invalidations; }
  std::string place() const override { return place_; }

 private:
  Script& script_;
  std::string place_;
};

class CredentialsChainTest : public testing::Test {
 protected:
  CredentialsChain make_chain() {
    std::vector<std::unique_ptr<aws::CredentialsProvider>> providers;
    providers.push_back(std::make_unique<ScriptedProvider>(first_, "the first place"));
    providers.push_back(std::make_unique<ScriptedProvider>(second_, "the second place"));
    return CredentialsChain(std::move(providers));
  }

  Script first_;
  Script second_;
};

TEST_F(CredentialsChainTest, StopsAtFirstFound) {
  first_.key_id = "first";
  second_.key_id = "second";
  CredentialsChain chain = make_chain();
  EXPECT_EQ(find_credentials(chain)->access_key_id, "first");
  EXPECT_EQ(second_.finds, 0);
}

TEST_F(CredentialsChainTest, AsksNextAfterNone) {
  second_.key_id = "second";
  CredentialsChain chain = make_chain();
  EXPECT_EQ(find_credentials(chain)->access_key_id, "second");
}

TEST_F(CredentialsChainTest, StaysWithChosenProvider) {
  second_.key_id = "second";
  CredentialsChain chain = make_chain();
  find_credentials(chain);
  first_.key_id = "first";
  second_.key_id = "renewed";
  EXPECT_EQ(find_credentials(chain)->access_key_id, "renewed");
  EXPECT_EQ(first_.finds, 1);
  chain.invalidate();
  EXPECT_EQ(first_.invalidations, 0);
  EXPECT_EQ(second_.invalidations, 1);
  EXPECT_EQ(chain.place(), "the second place");
  second_.key_id = "";
  EXPECT_THAT(message_of([&] { find_credentials(chain); }),
              HasSubstr("none any more in the second place"));
}

TEST_F(CredentialsChainTest, FailureListsSources) {
  CredentialsChain chain = make_chain();
  EXPECT_THAT(message_of([&] { find_credentials(chain); }),
              AllOf(HasSubstr("the first place; the second place"),
                    HasSubstr("Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")));
  first_.key_id = "later";
  EXPECT_EQ(find_credentials(chain)->access_key_id, "later");
}

class UsualChain : public testing::Test {
 protected:
  UsualChain() {
    home_.write(".aws/credentials",
                "[default]\naws_access_key_id = of-default\naws_secret_access_key = hush\n"
                "[prod]\naws_access_key_id = of-prod\naws_secret_access_key = hush\n");
  }

  std::string key_id_found(const std::string& profile_flag, const Variables& variables) {
    Variables all = variables;
    all["AWS_EC2_METADATA_DISABLED"] = "true";
    TestConnector outside(home_.environment(all));
    return find_credentials(*make_credentials_chain(profile_flag, outside.connector))
        ->access_key_id;
  }

  const Variables keys_{{"AWS_ACCESS_KEY_ID", "of-environment"}, {"AWS_SECRET_ACCESS_KEY", "hush"}};
  TemporaryHome home_;
};

TEST_F(UsualChain, EnvironmentBeforeFiles) {
  EXPECT_EQ(key_id_found("", keys_), "of-environment");
  EXPECT_EQ(key_id_found("", {}), "of-default");
}

TEST_F(UsualChain, ProfileFlagBeforeEnvironment) {
  EXPECT_EQ(key_id_found("prod", keys_), "of-prod");
}

TEST_F(UsualChain, EnvironmentBeforeProfileVariable) {
  Variables variables = keys_;
  variables["AWS_PROFILE"] = "prod";
  EXPECT_EQ(key_id_found("", variables), "of-environment");
  EXPECT_EQ(key_id_found("", {{"AWS_PROFILE", "prod"}}), "of-prod");
}

TEST_F(UsualChain, HalfPairInEnvironment) {
  EXPECT_THAT(message_of([&] {
                key_id_found("", {{"AWS_ACCESS_KEY_ID", "AKID"}});
              }),
              AllOf(HasSubstr("AWS_SECRET_ACCESS_KEY is not"), Not(HasSubstr("AKID"))));
}

TEST_F(UsualChain, MissingProfileFails) {
  EXPECT_THAT(message_of([&] { key_id_found("pord", keys_); }),
              AllOf(HasSubstr("--profile"), HasSubstr("pord")));
}

TEST_F(UsualChain, WebIdentityInBetween) {
  home_.write("token", "");  // which is an error, so it was asked
  const Variables identity{{"AWS_WEB_IDENTITY_TOKEN_FILE", home_.file("token")},
                           {"AWS_ROLE_ARN", "arn:aws:iam::1:role/r"}};
  EXPECT_THAT(message_of([&] { key_id_found("", identity); }), HasSubstr("web identity token"));
  Variables both = identity;
  both.insert(keys_.begin(), keys_.end());
  EXPECT_EQ(key_id_found("", both), "of-environment");
  EXPECT_EQ(key_id_found("prod", identity), "of-prod");
}

TEST_F(UsualChain, ContainerComesAfterFiles) {
  const Variables container{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x"}};
  EXPECT_EQ(key_id_found("", container), "of-default");
  home_.write(".aws/credentials", "");
  EXPECT_THAT(message_of([&] { key_id_found("", container); }),
              HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
}

TEST_F(UsualChain, NothingAnywhereListsFindings) {
  const TemporaryHome empty;
  TestConnector outside(empty.environment({{"AWS_EC2_METADATA_DISABLED", "true"}}));
  const auto chain = make_credentials_chain("", outside.connector);
  EXPECT_THAT(
      message_of([&] { find_credentials(*chain); }),
      AllOf(HasSubstr("environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                      "(not set)"),
            HasSubstr("AWS_WEB_IDENTITY_TOKEN_FILE is not set"),
            HasSubstr(empty.file(".aws/config") + " (no such file)"),
            HasSubstr(empty.file(".aws/credentials") + " (no such file)"),
            HasSubstr("AWS_CONTAINER_CREDENTIALS"), HasSubstr("AWS_EC2_METADATA_DISABLED")));
}

}  // namespace
}  // namespace everyitem::identity
