#include "identity/container_credentials.h"

#include <chrono>
#include <numeric>

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
using testing::Not;
using testing::StartsWith;

constexpr const char* kSession =
    R"({"RoleArn":"arn","AccessKeyId":"ASIA","SecretAccessKey":"hush","Token":"token",)"
    R"("Expiration":"2026-11-24T10:00:00Z"})";

/// For cases in which no request is made.
std::string refusal_of(const Variables& variables) {
  TestConnector test(environment_of(variables));
  ContainerCredentials provider(test.connector);
  return message_of([&] { find_credentials(provider); });
}

class ContainerCredentialsTest : public testing::Test {
 protected:
  std::optional<aws::Credentials> find(const Variables& variables) {
    test_.emplace(environment_of(variables));
    ContainerCredentials provider(test_->connector, at_);
    return endpoint_.find(provider);
  }
  std::string url(const std::string& path) { return at_.url() + path; }
  std::string failure_with(std::string answered) {
    answer_ = std::move(answered);
    return message_of([&] { find({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url("/c")}}); });
  }

  std::string answer_ = answer(kSession);
  TestEndpoint endpoint_{[this](const std::string&) { return answer_; }};
  http::Endpoint at_ = endpoint_.server.endpoint();
  std::optional<TestConnector> test_;
};

TEST_F(ContainerCredentialsTest, RelativeUri) {
  const auto found = find({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x?id=1"},
                           {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://not.asked"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIA");
  EXPECT_EQ(found->secret_access_key, "hush");
  EXPECT_EQ(found->session_token, "token");
  EXPECT_EQ(found->expires_at, parse_iso_time("2026-11-24T10:00:00Z"));
  EXPECT_THAT(found->source, AllOf(HasSubstr("container"), HasSubstr(url("")),
                                   HasSubstr("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")));
  EXPECT_THAT(endpoint_.requests, ElementsAre(StartsWith("GET /v2/credentials/x?id=1 HTTP/1.1")));
  EXPECT_THAT(endpoint_.requests.front(), Not(HasSubstr("Authorization")));
}

TEST(ContainerCredentials, RelativeUriAtAgent) {
  EXPECT_EQ(ContainerCredentials::agent_endpoint().url(), "http://169.254.170.2");
}

TEST_F(ContainerCredentialsTest, FullUri) {
  const struct {
    const char* path;
    const char* line;
  } cases[] = {{"", "GET /"},
               {"/", "GET /"},
               {"/v1/credentials", "GET /v1/credentials"},
               {"/a%20b?x=1&y=2#z", "GET /a%20b?x=1&y=2"},
               {"?x", "GET /?x"}};
  for (const auto& known : cases) {
    EXPECT_TRUE(find({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url(known.path)}})) << known.path;
    EXPECT_EQ(line_of(endpoint_.requests.back()), known.line) << known.path;
  }
}

TEST_F(ContainerCredentialsTest, TokenFileComesFirst) {
  const TemporaryHome home;
  home.write("token", "of the file");
  Variables variables{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url("/")},
                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc"}};
  find(variables);
  EXPECT_THAT(endpoint_.requests.back(), HasSubstr("\r\nAuthorization: Basic abc\r\n"));
  variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = home.file("token");
  find(variables);
  EXPECT_THAT(endpoint_.requests.back(), HasSubstr("\r\nAuthorization: of the file\r\n"));
}

TEST_F(ContainerCredentialsTest, TokenFileAlwaysReread) {
  const TemporaryHome home;
  TestConnector test(
      environment_of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url("/")},
                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home.file("token")}}));
  ContainerCredentials provider(test.connector);
  for (const char* token : {"first", "second"}) {
    home.write("token", token);
    endpoint_.find(provider);
    EXPECT_THAT(endpoint_.requests.back(),
                HasSubstr("\r\nAuthorization: " + std::string(token) + "\r\n"));
  }
}

TEST(ContainerCredentials, InvalidTokenNotShown) {
  const TemporaryHome home;
  home.write("with line break", "hush\n");
  home.write("empty", "");
  const Variables place{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:1/"}};
  const struct {
    const char* variable;
    std::string value;
    std::string reason;
  } cases[] = {
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush\r\nX: y",
       "the token in AWS_CONTAINER_AUTHORIZATION_TOKEN contains a line break"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home.file("with line break"),
       "the token in AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE contains a line break"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home.file("empty"), "it is empty"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home.file("none"),
       home.file("none") + ": No such file or directory"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", home.file(".aws"),
       home.file(".aws") + ": Is a directory"},
  };
  for (const auto& bad : cases) {
    Variables variables = place;
    variables[bad.variable] = bad.value;
    EXPECT_THAT(refusal_of(variables),
                AllOf(HasSubstr(bad.reason), HasSubstr(bad.variable), Not(HasSubstr("hush"))))
        << bad.reason;
  }
}

TEST(ContainerCredentials, NoneWithoutVariables) {
  TestConnector test(environment_of({{"AWS_CONTAINER_AUTHORIZATION_TOKEN", "x"}}));
  ContainerCredentials provider(test.connector);
  EXPECT_FALSE(find_credentials(provider));
  EXPECT_THAT(provider.place(), HasSubstr("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
                                          "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set"));
}

TEST(ContainerCredentials, RemoteUriRequiresTls) {
  for (const char* uri : {"http://example.com/", "http://169.254.170.3/", "http://169.254.169.254/",
                          "http://10.0.0.1:80/", "http://[fd00:ec2::24]/", "http://localhost.evil/",
                          "http://0.0.0.0/"}) {
    EXPECT_THAT(refusal_of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri}}),
                AllOf(HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                      HasSubstr("is not on this machine"), HasSubstr("https")))
        << uri;
  }
}

TEST(ContainerCredentials, AnyUriWithTls) {
  // Linux treats 0.0.0.0 as this machine; without TLS it is refused above.
  EXPECT_THAT(refusal_of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://0.0.0.0:1/"}}),
              HasSubstr("cannot connect"));
}

TEST(ContainerCredentials, InvalidUriUsageError) {
  for (const char* uri : {"x", "/path", "ftp://localhost/", "http:///x", "http://u:p@localhost/",
                          "http://localhost:99999/", "http://localhost/a b", "http://localhost/\n",
                          "http://127.0.0.1.evil.com/"}) {
    EXPECT_THAT(refusal_of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri}}),
                HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
        << uri;
  }
  for (const char* uri : {"x", "http://localhost/", "/a b", "/a\r\nX: y", "@evil.com/"}) {
    EXPECT_THAT(refusal_of({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", uri}}),
                HasSubstr("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path"))
        << uri;
  }
}

TEST_F(ContainerCredentialsTest, UnusableResponseSaysWhy) {
  const struct {
    std::string answered;
    const char* reason;
  } cases[] = {
      {answer("hush"), "the response is not a JSON object"},
      {answer(R"({"AccessKeyId":"hush"})"), "the response has no SecretAccessKey"},
      {answer(R"({"AccessKeyId":"a","SecretAccessKey":"hush","Expiration":"x"})"),
       "the response has an Expiration that is not a time"},
      {answer(
           R"({"AccessKeyId":"a","SecretAccessKey":"hush","Expiration":"2026-11-24T04:00:00Z"})"),
       "the response holds credentials that have expired"},
      {answer("no", "403 Forbidden"), "HTTP status 403"},
      {answer("", "302 Found", "Location: http://127.0.0.1:1/\r\n"), "status 302"},
      {answer(R"({"message":"no such task"})", "404 Not Found"), "no such task"},
  };
  for (const auto& bad : cases) {
    EXPECT_THAT(failure_with(bad.answered), AllOf(HasSubstr("the container's endpoint " + url("")),
                                                  HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                                                  HasSubstr(bad.reason), Not(HasSubstr("hush"))))
        << bad.reason;
  }
}

TEST_F(ContainerCredentialsTest, FailureUsesRunPatience) {
  EXPECT_THAT(failure_with(answer("", "500 Internal Server Error")), HasSubstr("HTTP status 500"));
  const auto& sleeps = test_->clock.sleeps();
  EXPECT_EQ(std::accumulate(sleeps.begin(), sleeps.end(), std::chrono::nanoseconds{0}),
            aws::Patience{}.failing);
}

TEST_F(ContainerCredentialsTest, NoResponseFails) {
  endpoint_.server.stop_accepting();
  EXPECT_THAT(failure_with(""), AllOf(HasSubstr("cannot connect"), HasSubstr(url("")),
                                      HasSubstr("AWS_CONTAINER_CREDENTIALS_FULL_URI")));
}

}  // namespace
}  // namespace everyitem::identity
