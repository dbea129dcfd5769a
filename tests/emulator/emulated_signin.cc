#include "emulator/emulated_signin.h"

#include <chrono>
#include <optional>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "emulator/emulated_sso.h"
#include "support/dpop_check.h"

namespace everyitem::emulator {

namespace {

constexpr std::string_view kPath = "/v1/token";
constexpr std::chrono::seconds kLifetime{900};
constexpr std::chrono::minutes kMaxSkew{5};

std::string member(const boost::json::object& object, std::string_view name) {
  const boost::json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

Reply denied(std::string_view error) {
  Reply reply = rest_error(403, "AccessDeniedException", "");
  reply.body = boost::json::serialize(
      boost::json::object{{"error", error}, {"message", "The session is not refreshed"}});
  return reply;
}

}  // namespace

std::string EmulatedSignin::operation_of(const ReceivedRequest& request) {
  return request.method == "POST" && request.target == kPath ? "CreateOAuth2Token" : "";
}

bool EmulatedSignin::is_proven(const ReceivedRequest& request, IdentityRegister::Time now) {
  const std::string token(request.header("dpop"));
  const auto proof = verified_dpop_proof(token);
  if (!proof || member(proof->payload, "htm") != "POST" ||
      !member(proof->payload, "htu")
           .ends_with(fmt::format("://{}{}", request.header("host"), kPath)) ||
      member(proof->payload, "jti").empty()) {
    return false;
  }
  const boost::json::value* issued = proof->payload.if_contains("iat");
  return issued != nullptr && issued->is_int64() &&
         std::chrono::abs(IdentityRegister::Time(std::chrono::seconds(issued->get_int64())) - now) <
             kMaxSkew &&
         proofs_.insert(token).second;
}

Reply EmulatedSignin::answer(const ReceivedRequest& request, IdentityRegister::Time now) {
  boost::system::error_code not_json;
  const boost::json::value body = boost::json::parse(request.body, not_json);
  if (not_json || !body.is_object() || member(body.get_object(), "grantType") != "refresh_token" ||
      member(body.get_object(), "clientId").empty() || !is_proven(request, now)) {
    return rest_error(400, "ValidationException", "The request or its proof is not valid");
  }
  const std::string refresh_token = member(body.get_object(), "refreshToken");
  if (!refresh_token.starts_with("login-live")) {
    return denied(refresh_token.starts_with("login-expired") ? "TOKEN_EXPIRED"
                                                             : "INSUFFICIENT_PERMISSIONS");
  }
  const Identity& identity = identities_.issue({.role = "login",
                                                .session = "me",
                                                .lifetime = kLifetime,
                                                .operation = "CreateOAuth2Token",
                                                .caller = {}},
                                               now);
  const aws::Credentials& credentials = identity.credentials;
  const boost::json::object token{{"accessKeyId", credentials.access_key_id},
                                  {"secretAccessKey", credentials.secret_access_key},
                                  {"sessionToken", credentials.session_token}};
  const boost::json::object answer{{"accessToken", token},
                                   {"tokenType", "aws_sigv4"},
                                   {"expiresIn", std::chrono::seconds(kLifetime).count()},
                                   {"refreshToken", fmt::format("login-live-{}", proofs_.size())}};
  return {
      .body = boost::json::serialize(answer), .headers = {}, .content_type = "application/json"};
}

}  // namespace everyitem::emulator
