#include "identity/sts.h"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <pugixml.hpp>

#include "aws/arn.h"
#include "aws/percent_encoding.h"
#include "identity/connector.h"
#include "identity/iso_time.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kVersion = "2011-06-15";  // of the STS API

struct Parameter {
  std::string_view name;
  std::string_view value;  ///< not sent if empty
};

aws::SecretText form(std::string_view action, std::initializer_list<Parameter> parameters) {
  std::string body = fmt::format("Action={}&Version={}", action, kVersion);
  std::size_t longest = body.size();
  for (const Parameter& parameter : parameters) {
    longest += parameter.name.size() + 3 * parameter.value.size() + 2;
  }
  body.reserve(longest);  // growing would leave secrets in the old memory
  for (const Parameter& parameter : parameters) {
    if (!parameter.value.empty()) {
      std::string value = aws::percent_encode(parameter.value);
      body.append("&").append(parameter.name).append("=").append(value);
      OPENSSL_cleanse(value.data(), value.size());
    }
  }
  return body;
}

/// A response of STS: XML, which is parsed in place and wiped with its buffer.
class Answer {
 public:
  explicit Answer(http::Response response) : body_(std::move(response.body)) {
    const auto parsed = document_.load_buffer_inplace(bytes(), body_.size());
    if (!parsed) {
      throw aws::MalformedResponse(
          fmt::format("the response is not XML: {}", parsed.description()));
    }
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() { OPENSSL_cleanse(bytes(), body_.size()); }

  std::string optional_text(const std::string& path) const {
    return document_.first_element_by_path(path.c_str()).text().get();
  }
  /// Throws MalformedResponse if it is missing.
  std::string text(const std::string& path) const {
    std::string found = optional_text(path);
    if (found.empty()) {
      throw aws::MalformedResponse(fmt::format("the response has no {}", path));
    }
    return found;
  }

 private:
  char* bytes() { return const_cast<char*>(body_.data()); }

  PaddedBuffer body_;
  pugi::xml_document document_;
};

/// The account in an ARN; empty if it is not one.
std::string account_of(const std::string& arn) {
  return aws::is_arn(arn) ? aws::parse_arn(arn, "AssumedRoleUser").account : "";
}

}  // namespace

Awaitable<aws::Credentials> assume_role(aws::Client& sts, const RoleRequest& request) {
  const bool by_token = !request.web_identity_token.empty();
  const std::string action = by_token ? "AssumeRoleWithWebIdentity" : "AssumeRole";
  const std::string duration =
      request.duration ? std::to_string(request.duration->count()) : std::string();
  const aws::SecretText body = form(action, {{"RoleArn", request.role_arn},
                                             {"RoleSessionName", request.session_name},
                                             {"DurationSeconds", duration},
                                             {"ExternalId", request.external_id},
                                             {"SerialNumber", request.mfa_serial},
                                             {"TokenCode", request.mfa_code},
                                             {"WebIdentityToken", request.web_identity_token}});
  const std::string object = "role " + request.role_arn;
  aws::Call call;
  call.operation = action;
  call.object = object;
  call.body = body;
  call.is_signed = !by_token;
  call.secrets = {request.web_identity_token, request.mfa_code, request.external_id};
  aws::Credentials credentials;
  co_await sts.call(call, [&](http::Response response) {
    const Answer answer(std::move(response));
    const std::string result = fmt::format("{0}Response/{0}Result/", action);
    const std::string path = result + "Credentials/";
    credentials.access_key_id = answer.text(path + "AccessKeyId");
    credentials.secret_access_key = answer.text(path + "SecretAccessKey");
    credentials.session_token = answer.text(path + "SessionToken");
    credentials.expires_at = parse_iso_time(answer.text(path + "Expiration"));
    if (!credentials.expires_at) {
      throw aws::MalformedResponse("the response has an Expiration that is not a time");
    }
    credentials.account_id = account_of(answer.optional_text(result + "AssumedRoleUser/Arn"));
  });
  co_return credentials;
}

Awaitable<Caller> caller_identity(aws::Client& sts, std::optional<aws::Patience> patience) {
  const aws::SecretText body = form("GetCallerIdentity", {});
  const std::string object = "STS in " + sts.region();
  aws::Call call;
  call.operation = "GetCallerIdentity";
  call.object = object;
  call.body = body;
  call.patience = patience;
  Caller caller;
  co_await sts.call(call, [&](http::Response response) {
    const Answer answer(std::move(response));
    const std::string path = "GetCallerIdentityResponse/GetCallerIdentityResult/";
    caller.account = answer.text(path + "Account");
    caller.arn = answer.text(path + "Arn");
    caller.user_id = answer.text(path + "UserId");
  });
  co_return caller;
}

}  // namespace everyitem::identity
