#include "emulator/emulated_metadata.h"

#include <charconv>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace everyitem::emulator {

namespace {

constexpr std::string_view kTokenPath = "/latest/api/token";
constexpr std::string_view kRolePath = "/latest/meta-data/iam/security-credentials/";
constexpr std::string_view kDocumentPath = "/latest/dynamic/instance-identity/document";
constexpr std::string_view kRegionPath = "/latest/meta-data/placement/region";
constexpr std::string_view kTtlHeader = "x-aws-ec2-metadata-token-ttl-seconds";
constexpr int kLongestTtl = 21600;  // EC2 user guide, instance metadata options
constexpr std::chrono::hours kSessionLifetime{6};

constexpr std::string_view kEcsPath = "/v2/credentials/";
constexpr std::string_view kEksPath = "/v1/credentials";

Reply plain(int status, std::string body) {
  return {.status = status, .body = std::move(body), .headers = {}, .content_type = "text/plain"};
}

Reply json(int status, const boost::json::object& body) {
  return {.status = status,
          .body = boost::json::serialize(body),
          .headers = {},
          .content_type = "application/json"};
}

}  // namespace

std::string EmulatedInstanceMetadata::operation_of(const ReceivedRequest& request) {
  const std::string_view target = request.target;
  if (request.method == "PUT") {
    return target == kTokenPath ? "MetadataToken" : "";
  }
  if (request.method != "GET") {
    return "";
  }
  if (target.starts_with(kRolePath.substr(0, kRolePath.size() - 1))) {
    return target.size() <= kRolePath.size() ? "MetadataRole" : "MetadataCredentials";
  }
  return target == kDocumentPath ? "MetadataDocument"
         : target == kRegionPath ? "MetadataRegion"
                                 : "";
}

Reply EmulatedInstanceMetadata::answer(const ReceivedRequest& request, IdentityRegister::Time now) {
  if (options_.mode == MetadataMode::disabled) {
    return plain(403, "");
  }
  if (request.method == "PUT") {
    return token(request, now);
  }
  const std::string_view shown = request.header("x-aws-ec2-metadata-token");
  const auto known = tokens_.find(shown);
  const bool valid = known != tokens_.end() && known->second > now;
  const bool wanted = options_.mode == MetadataMode::v2 || !shown.empty();
  if (options_.mode != MetadataMode::v1 && wanted && !valid) {
    return plain(401, "");
  }
  const std::string operation = operation_of(request);
  if (operation == "MetadataRegion") {
    return plain(200, options_.region);
  }
  if (operation == "MetadataDocument") {
    return json(200, {{"accountId", kAccount},
                      {"instanceId", "i-00000000000000000"},
                      {"region", options_.region},
                      {"version", "2017-09-30"}});
  }
  if (options_.role.empty()) {
    return plain(404, "");
  }
  if (operation == "MetadataRole") {
    return plain(200, options_.role);
  }
  if (request.target != std::string(kRolePath) + options_.role) {
    return plain(404, "");
  }
  return credentials(now);
}

Reply EmulatedInstanceMetadata::token(const ReceivedRequest& request, IdentityRegister::Time now) {
  if (options_.mode == MetadataMode::v1) {
    return plain(404, "");
  }
  const std::string_view ttl = request.header(kTtlHeader);
  int seconds = 0;
  const auto read = std::from_chars(ttl.data(), ttl.data() + ttl.size(), seconds);
  if (read.ec != std::errc() || read.ptr != ttl.data() + ttl.size() || seconds < 1 ||
      seconds > kLongestTtl) {
    return plain(400, "");
  }
  // A request that came through another machine gets no token.
  if (!request.header("x-forwarded-for").empty()) {
    return plain(403, "");
  }
  const std::string token = fmt::format("metadata-token-{}==", tokens_.size() + 1);
  tokens_[token] = now + std::chrono::seconds(seconds);
  Reply reply = plain(200, token);
  reply.headers.push_back({"X-Aws-Ec2-Metadata-Token-Ttl-Seconds", std::string(ttl)});
  return reply;
}

Reply EmulatedInstanceMetadata::credentials(IdentityRegister::Time now) {
  if (options_.role.find("refused") != std::string::npos) {
    return json(200, {{"Code", "AssumeRoleUnauthorizedAccess"},
                      {"Message", "EC2 cannot assume the role " + options_.role},
                      {"LastUpdated", iso_time(now)}});
  }
  const Identity* identity = identities_.find(current_);
  if (identity == nullptr || now >= replaced_at_) {
    identity = &identities_.issue({.role = options_.role,
                                   .session = "i-00000000000000000",
                                   .lifetime = kSessionLifetime,
                                   .operation = "MetadataCredentials",
                                   .caller = {}},
                                  now);
    current_ = identity->credentials.access_key_id;
    replaced_at_ = now + (*identity->credentials.expires_at - now) / 2;
  }
  const aws::Credentials& credentials = identity->credentials;
  return json(200, {{"Code", "Success"},
                    {"LastUpdated", iso_time(now)},
                    {"Type", "AWS-HMAC"},
                    {"AccessKeyId", credentials.access_key_id},
                    {"SecretAccessKey", credentials.secret_access_key},
                    {"Token", credentials.session_token},
                    {"Expiration", iso_time(*credentials.expires_at)}});
}

std::string EmulatedContainer::operation_of(const ReceivedRequest& request) {
  const std::string_view target = request.target;
  const bool ours = request.method == "GET" && (target.starts_with(kEcsPath) || target == kEksPath);
  return ours ? "ContainerCredentials" : "";
}

Reply EmulatedContainer::answer(const ReceivedRequest& request, IdentityRegister::Time now) {
  constexpr std::string_view kWantsToken = "token-";
  const std::string_view authorization = request.header("authorization");
  const bool of_eks = request.target == kEksPath;
  const std::string role = of_eks ? "pod-role" : request.target.substr(kEcsPath.size());
  if (of_eks && !authorization.starts_with("pod-live")) {
    return plain(400, "Service account token cannot be empty or is not valid");
  }
  if (role.starts_with(kWantsToken) && authorization != role.substr(kWantsToken.size())) {
    return json(401, {{"code", "Unauthorized"}, {"message", "The token is not the right one"}});
  }
  if (role.find("refused") != std::string::npos) {
    return json(403, {{"code", "AccessDenied"}, {"message", "The task has no such role"}});
  }
  const Identity& identity = identities_.issue({.role = role,
                                                .session = "task",
                                                .lifetime = kSessionLifetime,
                                                .operation = "ContainerCredentials",
                                                .caller = {}},
                                               now);
  const aws::Credentials& credentials = identity.credentials;
  boost::json::object body{{"AccessKeyId", credentials.access_key_id},
                           {"SecretAccessKey", credentials.secret_access_key},
                           {"Token", credentials.session_token},
                           {"Expiration", iso_time(*credentials.expires_at)}};
  if (of_eks) {
    body["AccountId"] = kAccount;
  } else {
    body["RoleArn"] = fmt::format("arn:aws:iam::{}:role/{}", kAccount, role);
  }
  return json(200, body);
}

}  // namespace everyitem::emulator
