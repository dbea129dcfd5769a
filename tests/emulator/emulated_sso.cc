#include "emulator/emulated_sso.h"

#include <boost/json.hpp>
#include <boost/url/params_encoded_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

namespace everyitem::emulator {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kCredentialsPath = "/federation/credentials";
constexpr std::chrono::hours kSessionLifetime{1};

std::string member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

/// An error in the style of OAuth, plus AWS's header.
Reply token_error(int status, std::string_view code, std::string_view oauth_code) {
  Reply reply = rest_error(status, code, "");
  reply.body = boost::json::serialize(
      boost::json::object{{"error", oauth_code}, {"error_description", "The token is not taken"}});
  return reply;
}

}  // namespace

std::string EmulatedSso::operation_of(const ReceivedRequest& request) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method == "GET" && path == kCredentialsPath) {
    return "GetRoleCredentials";
  }
  return request.method == "POST" && path == "/token" ? "CreateToken" : "";
}

Reply EmulatedSso::answer(const ReceivedRequest& request, IdentityRegister::Time now) {
  return request.method == "GET" ? role_credentials(request, now) : create_token(request, now);
}

Reply EmulatedSso::role_credentials(const ReceivedRequest& request, IdentityRegister::Time now) {
  std::map<std::string, std::string> query;
  const auto url = boost::urls::parse_origin_form(request.target);
  if (!url) {
    return rest_error(400, "InvalidRequestException", "The URL is malformed");
  }
  for (const auto& field : url->params()) {
    query[field.key] = field.value;
  }
  const std::string token(request.header("x-amz-sso_bearer_token"));
  const auto issued = tokens_.find(token);
  if (!token.starts_with("sso-live") && (issued == tokens_.end() || issued->second <= now)) {
    return rest_error(401, "UnauthorizedException", "Session token not found or invalid");
  }
  const std::string& role = query["role_name"];
  const std::string& account = query["account_id"];
  if (role.empty() || account.size() != kAccount.size()) {
    return rest_error(400, "InvalidRequestException", "role_name and account_id are wanted");
  }
  if (role.find("refused") != std::string::npos) {
    return rest_error(403, "ForbiddenException", "No access");
  }
  const Identity& identity = identities_.issue({.account = account,
                                                .role = role,
                                                .session = "sso",
                                                .lifetime = kSessionLifetime,
                                                .operation = "GetRoleCredentials",
                                                .caller = {}},
                                               now);
  const aws::Credentials& credentials = identity.credentials;
  const std::chrono::milliseconds expiration =
      std::chrono::floor<std::chrono::milliseconds>(credentials.expires_at->time_since_epoch());
  const boost::json::object role_credentials{{"accessKeyId", credentials.access_key_id},
                                             {"secretAccessKey", credentials.secret_access_key},
                                             {"sessionToken", credentials.session_token},
                                             {"expiration", expiration.count()}};
  const boost::json::object body{{"roleCredentials", role_credentials}};
  return {.body = boost::json::serialize(body), .headers = {}, .content_type = kJson};
}

Reply EmulatedSso::create_token(const ReceivedRequest& request, IdentityRegister::Time now) {
  boost::system::error_code not_json;
  const boost::json::value body = boost::json::parse(request.body, not_json);
  if (not_json || !body.is_object()) {
    return token_error(400, "InvalidRequestException", "invalid_request");
  }
  const boost::json::object& fields = body.get_object();
  if (member(fields, "grantType") != "refresh_token") {
    return token_error(400, "UnsupportedGrantTypeException", "unsupported_grant_type");
  }
  if (member(fields, "clientId").empty() ||
      !member(fields, "clientSecret").starts_with("client-live")) {
    return token_error(401, "InvalidClientException", "invalid_client");
  }
  const std::string refresh_token = member(fields, "refreshToken");
  if (refresh_token.starts_with("refresh-expired")) {
    return token_error(400, "ExpiredTokenException", "expired_token");
  }
  if (!refresh_token.starts_with("refresh-live")) {
    return token_error(400, "InvalidGrantException", "invalid_grant");
  }
  const std::string access_token = fmt::format("sso-issued-{}", tokens_.size() + 1);
  tokens_[access_token] = now + token_lifetime_;
  const boost::json::object answer{{"accessToken", access_token},
                                   {"expiresIn", token_lifetime_.count()},
                                   {"refreshToken", fmt::format("refresh-live-{}", tokens_.size())},
                                   {"tokenType", "Bearer"}};
  return {.body = boost::json::serialize(answer), .headers = {}, .content_type = kJson};
}

Reply rest_error(int status, std::string_view code, std::string_view message) {
  const boost::json::object body{{"message", message}, {"__type", code}};
  return {.status = status,
          .body = boost::json::serialize(body),
          .headers = {{"x-amzn-ErrorType", std::string(code)}},
          .content_type = kJson};
}

}  // namespace everyitem::emulator
