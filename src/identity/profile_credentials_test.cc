#include "identity/profile_credentials.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "support/temporary_home.h"
#include "support/test_connector.h"
#include "support/test_sts.h"

namespace everyitem::identity {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kKeys = "aws_access_key_id = AKID\naws_secret_access_key = hush/+=\n";

class ProfileCredentialsTest : public testing::Test {
 protected:
  void config(const std::string& text) { home_.write(".aws/config", text); }
  void credentials(const std::string& text) { home_.write(".aws/credentials", text); }

  /// The credentials of the profile in the flag.
  std::optional<aws::Credentials> find(const std::string& profile_flag = "") {
    make(profile_flag);
    return sts_.find(*provider_);
  }
  std::string message(const std::string& profile_flag = "") {
    return message_of([&] { find(profile_flag); });
  }
  void make(const std::string& profile_flag) {
    Variables variables = variables_;
    variables["AWS_REGION"] = "eu-west-1";
    variables["AWS_ENDPOINT_URL_STS"] = sts_.server.endpoint().url();
    outside_.emplace(home_.environment(variables));
    outside_->typed = typed_;
    provider_.emplace(profile_flag, outside_->connector);
  }

  TemporaryHome home_;
  Variables variables_;
  std::optional<std::string> typed_;
  TestEndpoint sts_{[](const std::string& request) { return assumed(request); }};
  std::optional<TestConnector> outside_;
  std::optional<ProfileCredentials> provider_;
};

TEST_F(ProfileCredentialsTest, KeysInEitherFile) {
  for (const char* file : {".aws/credentials", ".aws/config"}) {
    config("");
    credentials("");
    home_.write(file, std::string("[default]\n") + kKeys + "aws_session_token = token==\n");
    const auto found = find();
    ASSERT_TRUE(found) << file;
    EXPECT_EQ(found->access_key_id, "AKID");
    EXPECT_EQ(found->secret_access_key, "hush/+=");
    EXPECT_EQ(found->session_token, "token==");
  }
}

TEST_F(ProfileCredentialsTest, UsesProfileOfFlag) {
  credentials(
      "[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"
      "[prod]\naws_access_key_id = right\naws_secret_access_key = hush\n");
  EXPECT_EQ(find("prod")->access_key_id, "right");
}

TEST_F(ProfileCredentialsTest, ReadsFilesEachTime) {
  make("");
  EXPECT_FALSE(sts_.find(*provider_));
  credentials(std::string("[default]\n") + kKeys);
  EXPECT_EQ(sts_.find(*provider_)->access_key_id, "AKID");
}

TEST_F(ProfileCredentialsTest, NoneWithoutKeys) {
  config("[default]\nregion = eu-west-1\n");
  EXPECT_FALSE(find());
  EXPECT_EQ(provider_->place(), "profile \"default\" in " + home_.file(".aws/config") + " and " +
                                    home_.file(".aws/credentials") + " (no such file)");
}

TEST_F(ProfileCredentialsTest, HalfPairNamesMissing) {
  credentials("[default]\naws_access_key_id = AKID\n");
  EXPECT_THAT(message(), HasSubstr("has aws_access_key_id and no aws_secret_access_key"));
  credentials("[default]\naws_secret_access_key = hush\n");
  EXPECT_THAT(message(), AllOf(HasSubstr("has aws_secret_access_key and no aws_access_key_id"),
                               Not(HasSubstr("hush"))));
}

TEST_F(ProfileCredentialsTest, RoleOfSourceProfile) {
  config(
      "[profile b]\nrole_arn = arn:aws:iam::1:role/deploy\nsource_profile = base\n"
      "external_id = 7\nduration_seconds = 900\nrole_session_name = me\n");
  credentials(std::string("[base]\n") + kKeys);
  const auto found = find("b");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "deploy-by-AKID");
  EXPECT_EQ(found->secret_access_key, "the-secret+/=");
  EXPECT_EQ(found->session_token, "the-token+/==");
  EXPECT_TRUE(found->expires_at);
  EXPECT_THAT(found->source, AllOf(HasSubstr("arn:aws:iam::1:role/deploy"),
                                   HasSubstr("profile \"b\""), HasSubstr("profile \"base\"")));
  ASSERT_EQ(sts_.requests.size(), 1U);
  const auto form = form_of(sts_.requests[0]);
  EXPECT_EQ(form.at("Action"), "AssumeRole");
  EXPECT_EQ(form.at("Version"), "2011-06-15");
  EXPECT_EQ(form.at("RoleArn"), "arn:aws:iam::1:role/deploy");
  EXPECT_EQ(form.at("ExternalId"), "7");
  EXPECT_EQ(form.at("DurationSeconds"), "900");
  EXPECT_EQ(form.at("RoleSessionName"), "me");
  EXPECT_FALSE(form.contains("SerialNumber"));
}

TEST_F(ProfileCredentialsTest, GeneratesMissingSessionName) {
  config("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n");
  credentials(std::string("[base]\n") + kKeys);
  find();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
      outside_->clock.wall_now().time_since_epoch());
  EXPECT_EQ(form_of(sts_.requests.at(0)).at("RoleSessionName"),
            "everyitem-" + std::to_string(seconds.count()));
}

TEST_F(ProfileCredentialsTest, RolesAreChained) {
  config(
      "[profile c]\nrole_arn = arn:aws:iam::1:role/last\nsource_profile = b\n"
      "[profile b]\nrole_arn = arn:aws:iam::1:role/middle\nsource_profile = a\n"
      "[profile a]\nrole_arn = arn:aws:iam::1:role/first\nsource_profile = base\n");
  credentials(std::string("[base]\n") + kKeys);
  EXPECT_EQ(find("c")->access_key_id, "last-by-middle-by-first-by-AKID");
  EXPECT_EQ(sts_.requests.size(), 3U);
  EXPECT_THAT(sts_.requests.at(1), HasSubstr("X-Amz-Security-Token: the-token+/=="));
}

TEST_F(ProfileCredentialsTest, ProfileAsOwnSource) {
  config(std::string("[profile b]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n") +
         kKeys);
  EXPECT_EQ(find("b")->access_key_id, "r-by-AKID");
}

TEST_F(ProfileCredentialsTest, CredentialSourceEnvironment) {
  variables_ = {{"AWS_ACCESS_KEY_ID", "AKENV"}, {"AWS_SECRET_ACCESS_KEY", "hush"}};
  config("[profile b]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n");
  EXPECT_EQ(find("b")->access_key_id, "r-by-AKENV");
}

TEST_F(ProfileCredentialsTest, WebIdentityNotSigned) {
  home_.write("token", "ey.token\n");
  config("[profile b]\nrole_arn = arn:aws:iam::1:role/pod\nweb_identity_token_file = " +
         home_.file("token") + "\n");
  EXPECT_EQ(find("b")->access_key_id, "pod-by-nobody");
  const auto form = form_of(sts_.requests.at(0));
  EXPECT_EQ(form.at("Action"), "AssumeRoleWithWebIdentity");
  EXPECT_EQ(form.at("WebIdentityToken"), "ey.token");
}

TEST_F(ProfileCredentialsTest, InvalidWebIdentityReported) {
  config("[profile b]\nweb_identity_token_file = " + home_.file("token") + "\n");
  EXPECT_THAT(message("b"), AllOf(HasSubstr("profile \"b\""), HasSubstr("no role")));
  config("[profile b]\nrole_arn = arn:aws:iam::1:role/pod\nweb_identity_token_file = " +
         home_.file("token") + "\n");
  EXPECT_THAT(message("b"), AllOf(HasSubstr(home_.file("token")), HasSubstr("No such file")));
  home_.write("token", "\n");
  EXPECT_THAT(message("b"), HasSubstr("empty"));
  EXPECT_TRUE(sts_.requests.empty());
}

TEST_F(ProfileCredentialsTest, ContradictorySettingsAreNamed) {
  struct Case {
    const char* config;
    std::vector<std::string> says;
  };
  const std::string role = "[profile b]\nrole_arn = arn:aws:iam::1:role/r\n";
  for (const Case& bad : {
           Case{"", {"role_arn and none of source_profile and credential_source"}},
           Case{"source_profile = a\ncredential_source = Environment\n", {"and both of"}},
           Case{"source_profile = gone\n", {"source_profile = gone", "does not exist"}},
           Case{"source_profile = a\n[profile a]\nregion = x\n",
                {"source_profile = a", "has no credentials"}},
           Case{"source_profile = b\n", {"in a circle: b -> b"}},
           Case{"source_profile = a\n[profile a]\nrole_arn = x\nsource_profile = b\n",
                {"in a circle: b -> a -> b"}},
           Case{"credential_source = Ecs\n", {"no credential_source \"Ecs\"", "EcsContainer"}},
           Case{"credential_source = Environment\n",
                {"its source has no credentials", "AWS_ACCESS_KEY_ID"}},
           Case{"credential_source = Environment\nduration_seconds = 60\n",
                {"duration_seconds is \"60\"", "from 900 to 43200"}},
           Case{"credential_source = Environment\nduration_seconds = 1h\n",
                {"duration_seconds is \"1h\""}},
       }) {
    config(role + bad.config);
    const std::string said = message("b");
    for (const std::string& part : bad.says) {
      EXPECT_THAT(said, HasSubstr(part)) << bad.config;
    }
  }
  EXPECT_TRUE(sts_.requests.empty());
}

TEST_F(ProfileCredentialsTest, RejectionQuotesService) {
  sts_.handler = [](const std::string&) {
    return sts_refusal("AccessDenied", "User x may not assume y");
  };
  config("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n");
  credentials(std::string("[base]\n") + kKeys);
  EXPECT_THAT(message(), AllOf(HasSubstr("AssumeRole"), HasSubstr("arn:aws:iam::1:role/r"),
                               HasSubstr("AccessDenied"), HasSubstr("User x may not assume y"),
                               Not(HasSubstr("hush"))));
}

TEST_F(ProfileCredentialsTest, IncompleteResponseIsRejected) {
  sts_.handler = [](const std::string& request) {
    std::string all = assumed(request);
    const std::size_t at = all.find("<SessionToken>");
    all.replace(at, all.find("<Expiration>") - at, std::string(all.find("<Expiration>") - at, ' '));
    return all;
  };
  config("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n");
  credentials(std::string("[base]\n") + kKeys);
  EXPECT_THAT(message(), AllOf(HasSubstr("has no"), HasSubstr("SessionToken")));
  sts_.handler = [](const std::string&) { return http::answer("no document"); };
  EXPECT_THAT(message(), HasSubstr("not XML"));
}

TEST_F(ProfileCredentialsTest, MfaCodeAskedOnce) {
  config(
      "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
      "mfa_serial = arn:aws:iam::1:mfa/me\n");
  credentials(std::string("[base]\n") + kKeys);
  EXPECT_THAT(message(), AllOf(HasSubstr("MFA code"), HasSubstr("no terminal")));
  EXPECT_TRUE(sts_.requests.empty());

  typed_ = "123456";
  EXPECT_TRUE(find());
  EXPECT_THAT(outside_->questions, ElementsAre(HasSubstr("arn:aws:iam::1:mfa/me")));
  EXPECT_EQ(form_of(sts_.requests.at(0)).at("SerialNumber"), "arn:aws:iam::1:mfa/me");
  EXPECT_EQ(form_of(sts_.requests.at(0)).at("TokenCode"), "123456");
  EXPECT_THAT(message_of([&] { sts_.find(*provider_); }), HasSubstr("only once"));
}

TEST_F(ProfileCredentialsTest, OrderMatchesAwsTools) {
  const std::string role = "role_arn = arn:aws:iam::1:role/r\n";
  const std::string process =
      R"(credential_process = echo '{"Version":1,"AccessKeyId":"AKPROC","SecretAccessKey":"s"}')"
      "\n";
  credentials(std::string("[base]\n") + kKeys);
  config("[default]\n" + role + "source_profile = base\n" + process + kKeys);
  EXPECT_EQ(find()->access_key_id, "r-by-AKID");
  config("[default]\n" + process + kKeys);
  EXPECT_EQ(find()->access_key_id, "AKPROC");  // before keys of the config file
  credentials(std::string("[default]\n") + kKeys);
  EXPECT_EQ(find()->access_key_id, "AKID");  // after those of the credentials file
  config("[default]\nlogin_session = me\n" + process);
  EXPECT_EQ(find()->access_key_id, "AKID");
  credentials("");
  config("[default]\nlogin_session = me\n" + process + kKeys);
  EXPECT_THAT(message(), HasSubstr("aws login --profile default"));
}

}  // namespace
}  // namespace everyitem::identity
