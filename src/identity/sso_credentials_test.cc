#include "identity/sso_credentials.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "identity/find_credentials.h"
#include "identity/iso_time.h"
#include "support/test_connector.h"
#include "support/test_endpoint.h"

namespace everyitem::identity {
namespace {

using http::answer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Computed with sha1sum.
constexpr const char* kSessionFile =
    ".aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json";  // of "my-sso"
constexpr const char* kLegacyFile =
    ".aws/sso/cache/2b829a45f04c9828cb45b7d092d8e4aa30818393.json";  // of kStartUrl
constexpr const char* kStartUrl = "https://d-123.awsapps.com/start";

/// 2026-11-24T10:00:00Z, in milliseconds.
constexpr const char* kRoleCredentials =
    R"({"roleCredentials":{"accessKeyId":"ASIA","secretAccessKey":"hush-secret",)"
    R"("sessionToken":"token","expiration":1795514400000}})";

Profile session_profile() {
  Profile profile = profile_with({{"sso_session", "my-sso"},
                                  {"sso_account_id", "123456789012"},
                                  {"sso_role_name", "Read Only"}});
  profile.sso_session = Settings{{"sso_region", "eu-west-1"},
                                 {"sso_start_url", kStartUrl},
                                 {"sso_registration_scopes", "sso:account:access"}};
  return profile;
}

Profile legacy_profile() {
  return profile_with({{"sso_account_id", "123456789012"},
                       {"sso_role_name", "Read Only"},
                       {"sso_region", "eu-west-1"},
                       {"sso_start_url", kStartUrl}});
}

/// The clock is at 2026-11-24T04:00:00Z.
std::string login_until(const std::string& expires_at) {
  return fmt::format(R"({{"startUrl":"{}","region":"eu-west-1","accessToken":"hush-first-token",)"
                     R"("expiresAt":"{}","another":[1]}})",
                     kStartUrl, expires_at);
}

std::string refreshable_until(const std::string& expires_at,
                              const std::string& registered_until = "2027-01-01T00:00:00Z") {
  std::string login = login_until(expires_at);
  login.pop_back();
  return login + fmt::format(R"(,"refreshToken":"hush-refresh-token","clientId":"hush-client-id",)"
                             R"("clientSecret":"hush-client-secret",)"
                             R"("registrationExpiresAt":"{}"}})",
                             registered_until);
}

class SsoCredentialsTest : public testing::Test {
 protected:
  SsoCredentialsTest() { std::filesystem::create_directories(home_.file(".aws/sso/cache")); }

  std::optional<aws::Credentials> find(const Profile& profile) {
    const std::string url = endpoint_.server.endpoint().url();
    const Environment environment = home_.environment(
        {{"AWS_ENDPOINT_URL_SSO", url}, {"AWS_ENDPOINT_URL_SSO_OIDC", url + "/"}});
    test_.emplace(environment, profile);
    SsoCredentials provider(test_->connector, profile);
    return endpoint_.find(provider);
  }
  std::string failure_of(const Profile& profile) {
    return message_of([&] { find(profile); });
  }
  std::string cached(const char* name) const {
    std::ifstream file(home_.file(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const std::string& request : endpoint_.requests) {
      all.push_back(line_of(request));
    }
    return all;
  }

  TemporaryHome home_;
  std::string portal_ = answer(kRoleCredentials);
  std::string oidc_ = answer(
      R"({"accessToken":"hush-second-token","expiresIn":28800,"refreshToken":"hush-next-token"})");
  std::function<void()> on_refresh_ = [] {};
  TestEndpoint endpoint_{[this](const std::string& request) {
    if (request.starts_with("POST /token ")) {
      on_refresh_();
      return oidc_;
    }
    return portal_;
  }};
  std::optional<TestConnector> test_;
};

constexpr const char* kGetCredentials =
    "GET /federation/credentials?role_name=Read%20Only&account_id=123456789012";

TEST_F(SsoCredentialsTest, FoundWithSessionToken) {
  home_.write(kSessionFile, login_until("2026-11-24T08:00:00Z"));
  const auto found = find(session_profile());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIA");
  EXPECT_EQ(found->secret_access_key, "hush-secret");
  EXPECT_EQ(found->session_token, "token");
  EXPECT_EQ(found->expires_at, parse_iso_time("2026-11-24T10:00:00Z"));
  EXPECT_EQ(found->source, "profile \"p\" (aws sso login)");
  EXPECT_THAT(lines(), ElementsAre(kGetCredentials));
  EXPECT_THAT(endpoint_.requests.front(),
              AllOf(HasSubstr("\r\nx-amz-sso_bearer_token: hush-first-token\r\n"),
                    Not(HasSubstr("Authorization"))));
}

TEST_F(SsoCredentialsTest, FoundWithLegacyToken) {
  home_.write(kLegacyFile, login_until("2026-11-24T08:00:00UTC"));
  EXPECT_TRUE(find(legacy_profile()));
  EXPECT_THAT(lines(), ElementsAre(kGetCredentials));
}

TEST_F(SsoCredentialsTest, NeitherAccountNorRole) {
  Profile profile = session_profile();
  profile.settings.erase("sso_account_id");
  profile.settings.erase("sso_role_name");
  EXPECT_FALSE(find(profile));
  SsoCredentials provider(test_->connector, profile);
  EXPECT_EQ(provider.place(), "single sign-on of profile \"p\" (sso_account_id is not set)");
  EXPECT_EQ(SsoCredentials(test_->connector, session_profile()).place(),
            "single sign-on of profile \"p\"");
}

TEST_F(SsoCredentialsTest, MissingSettingsAreNamed) {
  const struct {
    Profile profile;
    std::vector<std::string> without;
    const char* reason;
  } cases[] = {
      {legacy_profile(), {"sso_role_name"}, "has no sso_role_name."},
      {legacy_profile(), {"sso_account_id"}, "has no sso_account_id."},
      {legacy_profile(), {"sso_region", "sso_start_url"}, "has no sso_region, sso_start_url."},
      {session_profile(), {"sso_region"}, "has no sso_region."},
  };
  for (const auto& bad : cases) {
    Profile profile = bad.profile;
    for (const std::string& name : bad.without) {
      profile.settings.erase(name);
      if (profile.sso_session) {
        profile.sso_session->erase(name);
      }
    }
    EXPECT_THAT(failure_of(profile), AllOf(HasSubstr("profile \"p\""), HasSubstr(bad.reason)));
  }
}

TEST_F(SsoCredentialsTest, BadSessionUsageError) {
  Profile profile = session_profile();
  profile.settings["sso_region"] = "eu-west-2";
  EXPECT_THAT(failure_of(profile),
              HasSubstr("profile \"p\" and its [sso-session my-sso] give different sso_region"));
  profile.sso_session.reset();
  EXPECT_THAT(failure_of(profile), HasSubstr("refers to [sso-session my-sso], which is not"));
}

TEST_F(SsoCredentialsTest, InvalidTokenHint) {
  const struct {
    const char* file;  ///< null for no file
    const char* reason;
  } cases[] = {
      {nullptr, "nobody has logged in"},
      {"hush", "is not a login file"},
      {R"({"accessToken":"hush"})", "is not a login file"},
      {R"({"expiresAt":"2026-11-24T08:00:00Z"})", "is not a login file"},
      {R"({"accessToken":"hush","expiresAt":"hush"})", "is not a login file"},
      {R"({"accessToken":"hush","expiresAt":"2026-11-24T03:59:00Z"})", "the login has expired"},
  };
  for (const auto& bad : cases) {
    for (const bool legacy : {false, true}) {
      if (bad.file != nullptr) {
        home_.write(legacy ? kLegacyFile : kSessionFile, bad.file);
      }
      EXPECT_THAT(failure_of(legacy ? legacy_profile() : session_profile()),
                  AllOf(HasSubstr(bad.reason), HasSubstr("profile \"p\""), Not(HasSubstr("hush")),
                        HasSubstr(legacy ? "Run \"aws sso login --profile p\"."
                                         : "Run \"aws sso login --sso-session my-sso\".")))
          << bad.reason;
    }
  }
  EXPECT_THAT(endpoint_.requests, IsEmpty());
}

TEST_F(SsoCredentialsTest, UnreadableFileIsNamed) {
  std::filesystem::create_directory(home_.file(kSessionFile));
  EXPECT_THAT(failure_of(session_profile()),
              AllOf(HasSubstr(home_.file(kSessionFile)), HasSubstr("aws sso login")));
}

TEST_F(SsoCredentialsTest, RefreshesAndSavesToken) {
  home_.write(kSessionFile, refreshable_until("2026-11-24T04:14:00Z"));
  EXPECT_TRUE(find(session_profile()));
  EXPECT_THAT(lines(), ElementsAre("POST /token", kGetCredentials));
  EXPECT_THAT(endpoint_.requests[0], AllOf(HasSubstr("\r\nContent-Type: application/json\r\n"),
                                           Not(HasSubstr("Authorization"))));
  EXPECT_EQ(http::body_of(endpoint_.requests[0]),
            R"({"clientId":"hush-client-id","clientSecret":"hush-client-secret",)"
            R"("refreshToken":"hush-refresh-token","grantType":"refresh_token"})");
  EXPECT_THAT(endpoint_.requests[1], HasSubstr("hush-second-token"));

  EXPECT_THAT(cached(kSessionFile), AllOf(HasSubstr(R"("accessToken":"hush-second-token")"),
                                          HasSubstr(R"("expiresAt":"2026-11-24T12:00:00Z")"),
                                          HasSubstr(R"("refreshToken":"hush-next-token")"),
                                          HasSubstr(R"("clientSecret":"hush-client-secret")"),
                                          HasSubstr(R"("another":[1])")));
  struct stat status {};
  ASSERT_EQ(stat(home_.file(kSessionFile).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(home_.file(".aws/sso/cache")), {}),
            1);

  EXPECT_TRUE(find(session_profile()));  // and need not be refreshed again
  EXPECT_THAT(endpoint_.requests, SizeIs(3));
}

TEST_F(SsoCredentialsTest, RefreshTokenIsKept) {
  home_.write(kSessionFile, refreshable_until("2026-11-24T03:00:00Z"));
  oidc_ = answer(R"({"accessToken":"hush-second-token","expiresIn":28800,"tokenType":"Bearer"})");
  EXPECT_TRUE(find(session_profile()));
  EXPECT_THAT(cached(kSessionFile), HasSubstr(R"("refreshToken":"hush-refresh-token")"));
}

TEST_F(SsoCredentialsTest, UnrefreshableUsedWhileValid) {
  for (const std::string& login :
       {login_until("2026-11-24T04:01:00Z"),
        refreshable_until("2026-11-24T04:01:00Z", "2026-11-24T04:00:00Z"),
        refreshable_until("2026-11-24T04:01:00Z", "soon")}) {
    endpoint_.requests.clear();
    home_.write(kSessionFile, login);
    EXPECT_TRUE(find(session_profile()));
    EXPECT_THAT(lines(), ElementsAre(kGetCredentials)) << login;
    EXPECT_THAT(test_->notices, IsEmpty());
  }
}

TEST_F(SsoCredentialsTest, LegacyTokenNotRefreshed) {
  home_.write(kLegacyFile, refreshable_until("2026-11-24T04:01:00Z"));
  EXPECT_TRUE(find(legacy_profile()));
  EXPECT_THAT(lines(), ElementsAre(kGetCredentials));
}

TEST_F(SsoCredentialsTest, FailureMattersAfterExpiry) {
  const struct {
    std::string answered;
    const char* reason;
  } cases[] = {
      {answer(R"({"error":"invalid_grant"})", "400 Bad Request",
              "x-amzn-ErrorType: InvalidGrantException:http://x\r\n"),
       "InvalidGrantException"},
      {answer("", "500 Internal Server Error"), "HTTP status 500"},
      {answer("hush"), "the response is not a JSON object"},
      {answer(R"({"accessToken":"hush"})"), "the response contains no token"},
      {answer(R"({"accessToken":"hush","expiresIn":0})"), "the response contains no token"},
      {answer(R"({"expiresIn":100})"), "the response contains no token"},
  };
  for (const auto& bad : cases) {
    oidc_ = bad.answered;
    home_.write(kSessionFile, refreshable_until("2026-11-24T04:01:00Z"));
    EXPECT_TRUE(find(session_profile()));
    EXPECT_THAT(test_->notices,
                testing::Contains(AllOf(HasSubstr("SSO session \"my-sso\""), HasSubstr(bad.reason),
                                        HasSubstr("2026-11-24T04:01:00Z"))));
    EXPECT_THAT(test_->notices, testing::Each(Not(HasSubstr("hush"))));

    home_.write(kSessionFile, refreshable_until("2026-11-24T03:59:00Z"));
    EXPECT_THAT(
        failure_of(session_profile()),
        AllOf(HasSubstr("the login has expired, and refreshing it failed"), HasSubstr(bad.reason),
              HasSubstr("aws sso login --sso-session my-sso"), Not(HasSubstr("hush"))));
  }
}

TEST_F(SsoCredentialsTest, UsesTokenRefreshedElsewhere) {
  home_.write(kSessionFile, refreshable_until("2026-11-24T03:59:00Z"));
  oidc_ = answer("", "400 Bad Request", "x-amzn-ErrorType: InvalidGrantException\r\n");
  on_refresh_ = [this] { home_.write(kSessionFile, refreshable_until("2026-11-24T12:00:00Z")); };
  EXPECT_TRUE(find(session_profile()));
  EXPECT_THAT(test_->notices, IsEmpty());
}

TEST_F(SsoCredentialsTest, RejectionNamesRemedy) {
  const struct {
    std::string answered;
    const char* words;
  } cases[] = {
      {answer(R"({"__type":"com.amazonaws.switchboard.portal#UnauthorizedException",)"
              R"("message":"Session token not found or invalid"})",
              "401 Unauthorized"),
       "aws sso login --sso-session my-sso"},
      {answer(R"({"message":"No access"})", "403 Forbidden",
              "x-amzn-ErrorType: ForbiddenException\r\n"),
       "Check sso_account_id and sso_role_name"},
      {answer("{}"), "the response contains no credentials"},
      {answer(R"({"roleCredentials":{"accessKeyId":"hush","expiration":1}})"),
       "the response contains no credentials"},
      {answer("", "503 Service Unavailable"), "HTTP status 503"},
  };
  for (const auto& bad : cases) {
    home_.write(kSessionFile, login_until("2026-11-24T08:00:00Z"));
    portal_ = bad.answered;
    EXPECT_THAT(failure_of(session_profile()),
                AllOf(HasSubstr("profile \"p\""), HasSubstr(bad.words), Not(HasSubstr("hush"))));
  }
}

TEST_F(SsoCredentialsTest, NoLoginWithoutHome) {
  TestConnector test;
  SsoCredentials provider(test.connector, session_profile());
  EXPECT_THAT(message_of([&] { find_credentials(provider); }), HasSubstr("HOME is not set"));
}

}  // namespace
}  // namespace everyitem::identity
