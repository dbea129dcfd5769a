#include "identity/login_credentials.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/message_of.h"
#include "identity/find_credentials.h"
#include "identity/iso_time.h"
#include "support/dpop_check.h"
#include "support/test_connector.h"
#include "support/test_endpoint.h"
#include "support/test_login_key.h"

namespace everyitem::identity {
namespace {

using http::answer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr const char* kLoginSession = "arn:aws:iam::111122223333:user/me";
/// Computed with sha256sum, of kLoginSession.
constexpr const char* kFile =
    "/6eeec053fe13079aaf7fd81065ec5ecbdb93674f20700e51842d0c769b240c8a.json";

/// The clock is at 2026-11-24T04:00:00Z.
std::string session_until(const std::string& expires_at) {
  return boost::json::serialize(
      boost::json::object{{"accessToken",
                           {{"accessKeyId", "ASIAFIRST"},
                            {"secretAccessKey", "hush-first"},
                            {"sessionToken", "hush-first-token"},
                            {"accountId", "111122223333"},
                            {"expiresAt", expires_at}}},
                          {"tokenType", "aws_sigv4"},
                          {"refreshToken", "hush-refresh-token"},
                          {"clientId", "arn:aws:signin:::devtools/same-device"},
                          {"dpopKey", kLoginKey},
                          {"another", {1}}});
}

class LoginCredentialsTest : public testing::Test {
 protected:
  LoginCredentialsTest() { std::filesystem::create_directories(home_.file(folder_)); }

  std::optional<aws::Credentials> find() {
    const Environment environment =
        home_.environment({{"AWS_ENDPOINT_URL_SIGNIN", endpoint_.server.endpoint().url()},
                           {"AWS_REGION", "eu-west-1"},
                           {"AWS_LOGIN_CACHE_DIRECTORY", cache_directory_}});
    test_.emplace(environment, profile_);
    LoginCredentials provider(test_->connector, profile_);
    return endpoint_.find(provider);
  }
  std::string failure() {
    return message_of([&] { find(); });
  }
  void write(const std::string& text) const { home_.write(folder_ + kFile, text); }
  boost::json::object cached() const {
    std::ifstream file(home_.file(folder_ + kFile));
    return boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {})).get_object();
  }

  TemporaryHome home_;
  std::string folder_ = ".aws/login/cache";
  std::string cache_directory_;
  Profile profile_ = profile_with({{"login_session", kLoginSession}});
  std::string answer_ =
      answer(R"({"accessToken":{"accessKeyId":"ASIASECOND","secretAccessKey":"hush-second",)"
             R"("sessionToken":"hush-second-token"},"tokenType":"aws_sigv4","expiresIn":900,)"
             R"("refreshToken":"hush-next"})");
  std::function<void()> on_refresh_ = [] {};
  TestEndpoint endpoint_{[this](const std::string&) {
    on_refresh_();
    return answer_;
  }};
  std::optional<TestConnector> test_;
};

TEST_F(LoginCredentialsTest, ValidSessionIsUsed) {
  write(session_until("2026-11-24T04:05:01Z"));
  const auto found = find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIAFIRST");
  EXPECT_EQ(found->secret_access_key, "hush-first");
  EXPECT_EQ(found->session_token, "hush-first-token");
  EXPECT_EQ(found->expires_at, parse_iso_time("2026-11-24T04:05:01Z"));
  EXPECT_EQ(found->source, "profile \"p\" (aws login)");
  EXPECT_EQ(found->account_id, "111122223333");
  EXPECT_THAT(endpoint_.requests, IsEmpty());
}

TEST_F(LoginCredentialsTest, RefreshesAndSaves) {
  write(session_until("2026-11-24T04:05:00Z"));
  const auto found = find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIASECOND");
  EXPECT_EQ(found->secret_access_key, "hush-second");
  EXPECT_EQ(found->expires_at, parse_iso_time("2026-11-24T04:15:00Z"));
  EXPECT_THAT(
      endpoint_.requests,
      ElementsAre(
          AllOf(HasSubstr("POST /v1/token HTTP/1.1\r\n"), Not(HasSubstr("authorization:")),
                HasSubstr(R"({"clientId":"arn:aws:signin:::devtools/same-device",)"
                          R"("refreshToken":"hush-refresh-token","grantType":"refresh_token"})"))));
  const boost::json::object saved = cached();
  EXPECT_EQ(saved.at("accessToken"), (boost::json::value{{"accessKeyId", "ASIASECOND"},
                                                         {"secretAccessKey", "hush-second"},
                                                         {"sessionToken", "hush-second-token"},
                                                         {"accountId", "111122223333"},
                                                         {"expiresAt", "2026-11-24T04:15:00Z"}}));
  EXPECT_EQ(saved.at("refreshToken"), "hush-next");
  EXPECT_EQ(saved.at("dpopKey"), kLoginKey);
  EXPECT_EQ(saved.at("another").as_array().size(), 1U);
  struct stat status {};
  ASSERT_EQ(stat(home_.file(folder_ + kFile).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(LoginCredentialsTest, ProofNamesUrl) {
  write(session_until("2026-11-24T04:00:00Z"));
  find();
  ASSERT_THAT(endpoint_.requests, SizeIs(1));
  const std::string& request = endpoint_.requests.front();
  const std::size_t start = request.find("DPoP: ") + 6;
  const auto proof = verified_dpop_proof(
      std::string_view(request).substr(start, request.find('\r', start) - start));
  ASSERT_TRUE(proof) << request;
  EXPECT_EQ(proof->payload.at("htu"),
            boost::json::value(endpoint_.server.endpoint().url() + "/v1/token"));
}

TEST_F(LoginCredentialsTest, VariableNamesFolder) {
  folder_ = "else where";
  cache_directory_ = "$HOME/else where";
  std::filesystem::create_directories(home_.file(folder_));
  write(session_until("2026-11-24T05:00:00Z"));
  EXPECT_EQ(find()->access_key_id, "ASIAFIRST");
}

TEST_F(LoginCredentialsTest, NobodyHasLoggedIn) {
  EXPECT_THAT(failure(), AllOf(HasSubstr("the login session of profile \"p\""),
                               HasSubstr("nobody has logged in"),
                               HasSubstr("Run \"aws login --profile p\".")));
}

TEST_F(LoginCredentialsTest, UnusableFileNotShown) {
  for (const char* text : {"", "hush", "{}", R"({"accessToken":"hush"})",
                           R"({"accessToken":{"accessKeyId":"hush"}})"}) {
    write(text);
    EXPECT_THAT(failure(), AllOf(HasSubstr("is not a login file"), Not(HasSubstr("hush"))));
  }
}

TEST_F(LoginCredentialsTest, FailedRefreshKeepsSession) {
  write(session_until("2026-11-24T04:01:00Z"));
  answer_ = answer(R"({"error":"INSUFFICIENT_PERMISSIONS","message":"no"})", "403 Forbidden",
                   "x-amzn-ErrorType: AccessDeniedException\r\n");
  EXPECT_EQ(find()->access_key_id, "ASIAFIRST");
  EXPECT_THAT(test_->notices,
              ElementsAre(AllOf(HasSubstr("expires at 2026-11-24T04:01:00Z"),
                                HasSubstr("AccessDeniedException"), Not(HasSubstr("hush")))));
}

TEST_F(LoginCredentialsTest, RefusalNamesRemedy) {
  write(session_until("2026-11-24T03:59:00Z"));
  answer_ = answer(R"({"error":"TOKEN_EXPIRED","message":"hush-refresh-token has expired"})",
                   "403 Forbidden", "x-amzn-ErrorType: AccessDeniedException\r\n");
  EXPECT_THAT(failure(), AllOf(HasSubstr("has expired, and refreshing it failed"),
                               HasSubstr("AccessDeniedException"), Not(HasSubstr("hush")),
                               HasSubstr("Run \"aws login --profile p\".")));
}

TEST_F(LoginCredentialsTest, AnotherProgramRefreshedIt) {
  write(session_until("2026-11-24T03:59:00Z"));
  answer_ = answer(R"({"error":"TOKEN_EXPIRED"})", "403 Forbidden",
                   "x-amzn-ErrorType: AccessDeniedException\r\n");
  on_refresh_ = [this] { write(session_until("2026-11-24T04:14:00Z")); };
  EXPECT_EQ(find()->expires_at, parse_iso_time("2026-11-24T04:14:00Z"));
}

TEST_F(LoginCredentialsTest, UnusableAnswerFails) {
  for (const char* body : {"[]", "{}", R"({"accessToken":{},"expiresIn":900})",
                           R"({"accessToken":{"accessKeyId":"a","secretAccessKey":"hush",)"
                           R"("sessionToken":"c"},"expiresIn":0,"refreshToken":"hush"})"}) {
    write(session_until("2026-11-24T03:59:00Z"));
    answer_ = answer(body);
    EXPECT_THAT(failure(),
                AllOf(HasSubstr("the response contains no token"), Not(HasSubstr("hush"))))
        << body;
    EXPECT_EQ(cached().at("refreshToken"), "hush-refresh-token");
  }
}

TEST_F(LoginCredentialsTest, UnusableKeyFails) {
  boost::json::object session =
      boost::json::parse(session_until("2026-11-24T03:59:00Z")).get_object();
  session["dpopKey"] = "hush";
  write(boost::json::serialize(session));
  EXPECT_THAT(failure(), AllOf(HasSubstr("no usable dpopKey"), Not(HasSubstr("hush"))));
  EXPECT_THAT(endpoint_.requests, IsEmpty());
}

TEST(LoginCredentials, NothingWithoutHome) {
  TestConnector test(environment_of({}), profile_with({{"login_session", kLoginSession}}));
  LoginCredentials provider(test.connector, test.connector.profile());
  EXPECT_THAT(message_of([&] { find_credentials(provider); }), HasSubstr("HOME is not set"));
}

}  // namespace
}  // namespace everyitem::identity
