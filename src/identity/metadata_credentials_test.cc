#include "identity/metadata_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
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

std::string session(const std::string& expiration) {
  return answer(R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIA",)"
                R"("SecretAccessKey":"hush","Token":"token","Expiration":")" +
                expiration + "\"}");
}

class MetadataCredentialsTest : public testing::Test {
 protected:
  std::optional<std::string> reply(const std::string& request) {
    if (request.starts_with("PUT ")) {
      return answer("the-token");
    }
    return line_of(request).ends_with("/security-credentials/") ? roles_ : credentials_;
  }
  /// The source, after nothing was found.
  std::string place_without_any() {
    MetadataCredentials provider(test_.connector);
    EXPECT_FALSE(endpoint_.find(provider));
    return provider.place();
  }

  std::string roles_ = answer("my role");
  std::string credentials_ = session("2026-11-24T10:00:00Z");
  TestEndpoint endpoint_{[this](const std::string& request) { return reply(request); }};
  TestConnector test_{
      environment_of({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint_.server.endpoint().url()}})};
};

TEST_F(MetadataCredentialsTest, FindsAttachedRole) {
  MetadataCredentials provider(test_.connector);
  const auto found = endpoint_.find(provider);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->access_key_id, "ASIA");
  EXPECT_EQ(found->secret_access_key, "hush");
  EXPECT_EQ(found->session_token, "token");
  EXPECT_EQ(found->expires_at, parse_iso_time("2026-11-24T10:00:00Z"));
  EXPECT_EQ(found->source, "instance metadata (role my role)");
  EXPECT_EQ(provider.place(), "instance metadata");
  std::vector<std::string> lines;
  for (const std::string& request : endpoint_.requests) {
    lines.push_back(line_of(request));
  }
  EXPECT_THAT(
      lines, ElementsAre("PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                         "GET /latest/meta-data/iam/security-credentials/my%20role"));
  EXPECT_THAT(test_.notices, IsEmpty());
}

TEST_F(MetadataCredentialsTest, MissingCredentialsSayWhy) {
  const struct {
    std::string roles;
    std::string credentials;
    const char* place;
  } cases[] = {
      {answer("", "404 Not Found"), "", "instance metadata (no role is attached)"},
      {answer(""), "", "instance metadata (no role is attached)"},
      {answer("x"), answer("", "404 Not Found"), "instance metadata (no role is attached)"},
      {answer("", "400 Bad Request"), "", "instance metadata (HTTP status 400)"},
      {answer(std::string(129, 'x')), "", "instance metadata (the response names no role)"},
      {answer("x"), answer(R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"m"})"),
       "instance metadata (role x: AssumeRoleUnauthorizedAccess)"},
      {answer("x"), answer(R"({"Code":"hush hush"})"), "instance metadata (role x: rejected)"},
      {answer("x"), answer("hush"),
       "instance metadata (role x: the response is not a JSON object)"},
      {answer("x"), answer(R"({"AccessKeyId":"a"})"),
       "instance metadata (role x: the response has no SecretAccessKey)"},
      {answer("x"), answer(R"({"AccessKeyId":"a","SecretAccessKey":"b"})"),
       "instance metadata (role x: the response has no Expiration)"},
      {answer("x"),
       answer(R"({"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"2026-11-24T10:00:00Z"})"),
       "instance metadata (role x: the response has no Token)"},
  };
  for (const auto& known : cases) {
    roles_ = known.roles;
    credentials_ = known.credentials;
    EXPECT_EQ(place_without_any(), known.place);
  }
}

TEST_F(MetadataCredentialsTest, MissingMetadataIsNone) {
  endpoint_.server.stop_accepting();
  EXPECT_EQ(place_without_any(), "instance metadata (cannot connect: Connection refused)");
}

TEST_F(MetadataCredentialsTest, ExpiredStayInUse) {
  credentials_ = session("2026-11-24T03:59:00Z");
  MetadataCredentials provider(test_.connector);
  const auto found = endpoint_.find(provider);
  ASSERT_TRUE(found);
  EXPECT_GE(*found->expires_at, test_.clock.wall_now() + std::chrono::minutes(10));
  EXPECT_LE(*found->expires_at, test_.clock.wall_now() + std::chrono::minutes(15));
  EXPECT_THAT(test_.notices, ElementsAre(AllOf(HasSubstr("instance metadata (role my role)"),
                                               HasSubstr("have expired"), Not(HasSubstr("hush")))));
}

TEST_F(MetadataCredentialsTest, AsksEachTime) {
  MetadataCredentials provider(test_.connector);
  endpoint_.find(provider);
  roles_ = answer("", "404 Not Found");
  EXPECT_FALSE(endpoint_.find(provider));
  EXPECT_THAT(provider.place(), HasSubstr("no role is attached"));
  roles_ = answer("x");
  EXPECT_TRUE(endpoint_.find(provider));
  EXPECT_EQ(provider.place(), "instance metadata");
}

}  // namespace
}  // namespace everyitem::identity
