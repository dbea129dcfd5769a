#include "emulator/emulated_identity.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/emulated_services.h"

namespace everyitem::emulator {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::string_view kRole = "arn:aws:iam::111122223333:role/";

aws::Credentials user(const std::string& name) {
  const std::string id = std::string(kUserPrefix) + name;
  return {.access_key_id = id, .secret_access_key = "secret-of-" + id};
}

aws::Credentials session(const std::string& id) {
  return {.access_key_id = id,
          .secret_access_key = "secret-of-" + id,
          .session_token = "token-of-" + id};
}

std::string role_request(std::string_view role, std::string_view more = "") {
  return fmt::format("Action=AssumeRole&Version=2011-06-15&RoleArn={}{}&RoleSessionName=me{}",
                     kRole, role, more);
}

/// The services, asked without a network.
class EmulatedIdentityTest : public testing::Test {
 protected:
  void start(const IdentityOptions& options) {
    services_.emplace(TableShape{.items = 2}, StreamShape{},
                      aws::Credentials{.access_key_id = "AKIDOWNER", .secret_access_key = "secret"},
                      options);
  }

  Reply send(ReceivedRequest request, std::optional<Fault> fault = std::nullopt) {
    request.headers.push_back({"Host", "localhost"});
    return services_->answer(request, fault, plan_);
  }
  Reply get(const std::string& target, std::vector<http::Header> headers = {}) {
    return send({.method = "GET", .target = target, .headers = std::move(headers), .body = {}});
  }
  Reply metadata_token(const std::string& ttl) {
    return send({.method = "PUT",
                 .target = "/latest/api/token",
                 .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", ttl}},
                 .body = {}});
  }
  Reply create_token(const boost::json::object& body) {
    return send({.method = "POST",
                 .target = "/token",
                 .headers = {{"Content-Type", "application/json"}},
                 .body = boost::json::serialize(body)});
  }

  Reply sts(const std::string& body, const std::optional<aws::Credentials>& caller,
            std::optional<Fault> fault = std::nullopt) {
    return send(signed_request({{"Content-Type", "application/x-www-form-urlencoded"}}, body, "sts",
                               caller),
                fault);
  }
  Reply scan(const aws::Credentials& caller) {
    return send(signed_request({{"X-Amz-Target", "DynamoDB_20120810.Scan"}},
                               R"({"TableName":"t","TotalSegments":1,"Segment":0})", "dynamodb",
                               caller));
  }

  EmulatedServices& services() { return *services_; }

 private:
  ReceivedRequest signed_request(std::vector<http::Header> headers, const std::string& body,
                                 std::string_view service,
                                 const std::optional<aws::Credentials>& caller) {
    ReceivedRequest request{
        .method = "POST", .target = "/", .headers = std::move(headers), .body = body};
    if (!caller) {
      return request;
    }
    std::vector<http::Header> covered = request.headers;
    covered.push_back({"Host", "localhost"});
    const auto signature =
        aws::sign({.method = request.method,
                   .path = request.target,
                   .query = {},
                   .headers = covered,
                   .body = request.body,
                   .region = "us-east-1",
                   .service = service,
                   .time = std::chrono::system_clock::now() + services_->clock_offset},
                  *caller);
    request.headers.insert(request.headers.end(), signature.begin(), signature.end());
    return request;
  }

  std::optional<EmulatedServices> services_{
      std::in_place, TableShape{.items = 2}, StreamShape{},
      aws::Credentials{.access_key_id = "AKIDOWNER", .secret_access_key = "secret"}};
  FaultPlan plan_{{}, 1};
};

TEST_F(EmulatedIdentityTest, CallerIdentity) {
  const Reply reply = sts("Action=GetCallerIdentity&Version=2011-06-15", user("BOB"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("<Arn>arn:aws:iam::000000000000:user/BOB</Arn>"));
  EXPECT_THAT(reply.body, HasSubstr("<Account>000000000000</Account>"));
  EXPECT_EQ(services().counts().callers.at("GetCallerIdentity").at("AKIDUSERBOB"), 1U);
}

TEST_F(EmulatedIdentityTest, RoleSessionTellsRole) {
  const Reply reply = sts(role_request("path/deploy"), user("BOB"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr("<AccessKeyId>ASIA.deploy.me.1</AccessKeyId>"));
  EXPECT_THAT(reply.body, HasSubstr("<SessionToken>token-of-ASIA.deploy.me.1</SessionToken>"));

  const aws::Credentials deploy = session("ASIA.deploy.me.1");
  EXPECT_EQ(scan(deploy).status, 200);
  EXPECT_THAT(sts("Action=GetCallerIdentity&Version=2011-06-15", deploy).body,
              HasSubstr("<Arn>arn:aws:sts::111122223333:assumed-role/deploy/me</Arn>"));
  const Reply second = sts(role_request("other"), deploy);
  EXPECT_THAT(second.body, HasSubstr("ASIA.other.me.2"));
  ASSERT_EQ(services().identities().issued().size(), 2U);
  EXPECT_EQ(services().identities().issued()[1].caller, "ASIA.deploy.me.1");
  EXPECT_EQ(services().counts().callers.at("Scan").at("ASIA.deploy.me.1"), 1U);
}

TEST_F(EmulatedIdentityTest, AssumeRoleRefusalCodes) {
  struct Case {
    std::string body;
    std::optional<aws::Credentials> caller;
    int status;
    std::string code;
  };
  aws::Credentials wrong_secret = user("BOB");
  wrong_secret.secret_access_key = "wrong";
  const std::vector<Case> cases = {
      {role_request("refused"), user("BOB"), 403, "AccessDenied"},
      {role_request("deploy"), std::nullopt, 403, "MissingAuthenticationToken"},
      {role_request("deploy"), wrong_secret, 403, "SignatureDoesNotMatch"},
      {role_request("deploy"), session("ASIA.deploy.me.9"), 403, "InvalidClientTokenId"},
      {role_request("deploy", "&DurationSeconds=899"), user("BOB"), 400, "ValidationError"},
      {role_request("deploy", "&DurationSeconds=43201"), user("BOB"), 400, "ValidationError"},
      {role_request("deploy", "&DurationSeconds=900"), user("BOB"), 200, "AccessKeyId"},
      {role_request(""), user("BOB"), 400, "ValidationError"},
      {role_request("deploy", "%20x"), user("BOB"), 400, "ValidationError"},
      {role_request("external-id-77"), user("BOB"), 403, "AccessDenied"},
      {role_request("external-id-77", "&ExternalId=78"), user("BOB"), 403, "AccessDenied"},
      {role_request("external-id-77", "&ExternalId=77"), user("BOB"), 200, "AccessKeyId"},
      {role_request("mfa-123456"), user("BOB"), 403, "AccessDenied"},
      {role_request("mfa-123456", "&SerialNumber=arn:aws:iam::1:mfa/a&TokenCode=1"), user("BOB"),
       403, "invalid MFA"},
      {role_request("mfa-123456", "&SerialNumber=arn:aws:iam::1:mfa/a&TokenCode=123456"),
       user("BOB"), 200, "AccessKeyId"},
      {role_request("only-BOB"), user("EVE"), 403, "AccessDenied"},
      {role_request("only-BOB"), user("BOB"), 200, "AccessKeyId"},
      {"Action=GetSessionToken&Version=2011-06-15", user("BOB"), 400, "InvalidAction"},
      {"Action=GetCallerIdentity&Version=2011", user("BOB"), 400, "InvalidAction"},
  };
  for (const Case& one : cases) {
    const Reply reply = sts(one.body, one.caller);
    EXPECT_EQ(reply.status, one.status) << one.body << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(one.code)) << one.body;
  }
}

TEST_F(EmulatedIdentityTest, ChainedRoleOneHour) {
  sts(role_request("first"), user("BOB"));
  const aws::Credentials first = session("ASIA.first.me.1");
  EXPECT_THAT(sts(role_request("second", "&DurationSeconds=3601"), first).body,
              HasSubstr("role chaining"));
  EXPECT_EQ(sts(role_request("second", "&DurationSeconds=3600"), first).status, 200);
}

TEST_F(EmulatedIdentityTest, WebIdentityWithoutSignature) {
  const auto ask = [&](const std::string& token) {
    return sts(fmt::format("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={}pods&"
                           "RoleSessionName=me&WebIdentityToken={}",
                           kRole, token),
               std::nullopt);
  };
  EXPECT_THAT(ask("web-live-1").body, HasSubstr("<AccessKeyId>ASIA.pods.me.1<"));
  EXPECT_THAT(ask("web-expired").body, HasSubstr("ExpiredTokenException"));
  EXPECT_THAT(ask("other").body, HasSubstr("InvalidIdentityToken"));
}

TEST_F(EmulatedIdentityTest, ExpiredSessionIsRefused) {
  start({.session_lifetime = seconds(60)});
  sts(role_request("deploy"), user("BOB"));
  const aws::Credentials deploy = session("ASIA.deploy.me.1");
  services().clock_offset = seconds(58);
  EXPECT_EQ(scan(deploy).status, 200);
  services().clock_offset = seconds(61);
  EXPECT_THAT(scan(deploy).body, HasSubstr("ExpiredTokenException"));
  EXPECT_THAT(sts("Action=GetCallerIdentity&Version=2011-06-15", deploy).body,
              HasSubstr("<Code>ExpiredToken</Code>"));
  EXPECT_EQ(services().counts().expired.at("ASIA.deploy.me.1"), 2U);
  EXPECT_EQ(services().counts().signatures_refused, 0U);
}

TEST_F(EmulatedIdentityTest, PortalTakesLiveToken) {
  const auto ask = [&](const std::string& role, const std::string& token) {
    return get("/federation/credentials?role_name=" + role + "&account_id=111122223333",
               {{"x-amz-sso_bearer_token", token}});
  };
  const Reply reply = ask("Read%20er", "sso-live");
  EXPECT_EQ(reply.status, 200);
  const auto given = boost::json::parse(reply.body).at("roleCredentials");
  EXPECT_EQ(given.at("accessKeyId").as_string(), "ASIA.Read er.sso.1");
  EXPECT_GT(given.at("expiration").as_int64(), 1'700'000'000'000);  // milliseconds
  EXPECT_THAT(ask("Reader", "sso-expired").body, HasSubstr("UnauthorizedException"));
  EXPECT_EQ(ask("Reader", "").status, 401);
  EXPECT_THAT(ask("refused", "sso-live").body, HasSubstr("ForbiddenException"));
  EXPECT_EQ(ask("", "sso-live").status, 400);
}

TEST_F(EmulatedIdentityTest, RefreshedAccessTokenExpires) {
  start({.sso_token_lifetime = seconds(100)});
  const boost::json::object request{{"grantType", "refresh_token"},
                                    {"clientId", "client"},
                                    {"clientSecret", "client-live"},
                                    {"refreshToken", "refresh-live"}};
  const Reply reply = create_token(request);
  ASSERT_EQ(reply.status, 200);
  const auto given = boost::json::parse(reply.body);
  EXPECT_EQ(given.at("expiresIn").as_int64(), 100);
  const std::string target = "/federation/credentials?role_name=r&account_id=111122223333";
  const std::vector<http::Header> bearer = {
      {"x-amz-sso_bearer_token", std::string(given.at("accessToken").as_string())}};
  EXPECT_EQ(get(target, bearer).status, 200);
  services().clock_offset = seconds(101);
  EXPECT_EQ(get(target, bearer).status, 401);

  const auto refusal = [&](std::string_view field, std::string_view value) {
    boost::json::object wrong = request;
    wrong[field] = value;
    const Reply refused = create_token(wrong);
    return refused.status == 200 ? "" : refused.headers.at(0).value;
  };
  EXPECT_EQ(refusal("refreshToken", "other"), "InvalidGrantException");
  EXPECT_EQ(refusal("refreshToken", "refresh-expired"), "ExpiredTokenException");
  EXPECT_EQ(refusal("clientSecret", "other"), "InvalidClientException");
  EXPECT_EQ(refusal("grantType", "password"), "UnsupportedGrantTypeException");
}

TEST_F(EmulatedIdentityTest, LoginNeedsProof) {
  const boost::json::object request{
      {"grantType", "refresh_token"}, {"clientId", "client"}, {"refreshToken", "login-live"}};
  for (const char* proof : {"", "proof", "a.b.c"}) {
    const Reply reply = send({.method = "POST",
                              .target = "/v1/token",
                              .headers = {{"DPoP", proof}},
                              .body = boost::json::serialize(request)});
    EXPECT_EQ(reply.status, 400) << proof;
    EXPECT_EQ(reply.headers.at(0).value, "ValidationException");
  }
}

TEST_F(EmulatedIdentityTest, MetadataNeedsToken) {
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  EXPECT_EQ(get(roles).status, 401);
  EXPECT_EQ(metadata_token("").status, 400);
  EXPECT_EQ(metadata_token("21601").status, 400);
  const std::vector<http::Header> token = {
      {"X-aws-ec2-metadata-token", metadata_token("21600").body}};
  EXPECT_EQ(get(roles, token).body, "instance-role");
  EXPECT_EQ(get(roles + "other", token).status, 404);
  EXPECT_EQ(get("/latest/meta-data/placement/region", token).body, "eu-north-1");
  EXPECT_THAT(get("/latest/dynamic/instance-identity/document", token).body,
              HasSubstr(R"("region":"eu-north-1")"));
  const auto given = boost::json::parse(get(roles + "instance-role", token).body);
  EXPECT_EQ(given.at("Code").as_string(), "Success");
  EXPECT_EQ(given.at("AccessKeyId").as_string(), "ASIA.instance-role.i-00000000000000000.1");

  start({.metadata = {.mode = MetadataMode::v1_and_v2}});
  EXPECT_EQ(get(roles).status, 200);
  EXPECT_EQ(get(roles, {{"X-aws-ec2-metadata-token", "wrong"}}).status, 401);
  start({.metadata = {.mode = MetadataMode::v1}});
  EXPECT_EQ(metadata_token("60").status, 404);
  EXPECT_EQ(get(roles).status, 200);
  start({.metadata = {.mode = MetadataMode::disabled}});
  EXPECT_EQ(metadata_token("60").status, 403);
  EXPECT_EQ(get(roles).status, 403);
}

TEST_F(EmulatedIdentityTest, RenewsAtHalfLife) {
  start({.session_lifetime = seconds(100), .metadata = {.mode = MetadataMode::v1}});
  const auto ask = [&] {
    const Reply reply = get("/latest/meta-data/iam/security-credentials/instance-role");
    return std::string(boost::json::parse(reply.body).at("AccessKeyId").as_string());
  };
  const std::string first = ask();
  services().clock_offset = seconds(48);
  EXPECT_EQ(ask(), first);
  services().clock_offset = seconds(52);
  EXPECT_NE(ask(), first);
}

TEST_F(EmulatedIdentityTest, MetadataExplainsMissingCredentials) {
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  start({.metadata = {.mode = MetadataMode::v1, .role = "refused"}});
  EXPECT_THAT(get(roles + "refused").body, HasSubstr(R"("Code":"AssumeRoleUnauthorizedAccess")"));
  start({.metadata = {.mode = MetadataMode::v1, .role = ""}});
  EXPECT_EQ(get(roles).status, 404);
}

TEST_F(EmulatedIdentityTest, ContainerCredentialsNeedToken) {
  EXPECT_THAT(get("/v2/credentials/task-role").body,
              HasSubstr(R"("AccessKeyId":"ASIA.task-role.task.1")"));
  EXPECT_EQ(get("/v2/credentials/token-abc").status, 401);
  EXPECT_EQ(get("/v2/credentials/token-abc", {{"Authorization", "abc"}}).status, 200);
  EXPECT_THAT(get("/v2/credentials/refused").body, HasSubstr("AccessDenied"));
  EXPECT_EQ(get("/v1/credentials").status, 400);
  EXPECT_THAT(get("/v1/credentials", {{"Authorization", "pod-live-1"}}).body,
              HasSubstr("AccountId"));
}

TEST_F(EmulatedIdentityTest, FaultsSpeakServiceProtocol) {
  const std::string body = "Action=GetCallerIdentity&Version=2011-06-15";
  EXPECT_THAT(sts(body, user("BOB"), Fault::throttling).body, HasSubstr("<Code>Throttling</Code>"));
  EXPECT_EQ(sts(body, user("BOB"), Fault::internal_error).status, 500);
  const Reply cut = sts(body, user("BOB"), Fault::garbage);
  EXPECT_EQ(cut.status, 200);
  EXPECT_EQ(cut.body.find("</GetCallerIdentityResponse>"), std::string::npos);
  const Reply rest =
      send({.method = "GET", .target = "/v2/credentials/r", .headers = {}, .body = {}},
           Fault::access_denied);
  EXPECT_EQ(rest.headers.at(0).value, "AccessDenied");
  EXPECT_EQ(services().counts().requests.at("ContainerCredentials"), 1U);
}

}  // namespace
}  // namespace everyitem::emulator
