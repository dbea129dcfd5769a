#include "identity/sso_credentials.h"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "aws/json_members.h"
#include "aws/percent_encoding.h"
#include "base/error.h"
#include "base/unix_time.h"

namespace everyitem::identity {

namespace {

constexpr std::string_view kSession = "sso_session";
constexpr std::string_view kStartUrl = "sso_start_url";
constexpr std::string_view kRegion = "sso_region";
constexpr std::string_view kAccount = "sso_account_id";
constexpr std::string_view kRole = "sso_role_name";

struct SsoRole {
  SsoLogin login;
  std::string account;
  std::string name;
};

bool has_role(const Profile& profile) {
  return !profile.setting(kAccount).empty() || !profile.setting(kRole).empty();
}

/// The profile's settings combined with those of its session. Throws a usage error if the session
/// does not exist or contradicts the profile.
Settings settings_of(const Profile& profile) {
  Settings settings = profile.settings;
  const std::string session = profile.setting(kSession);
  if (session.empty()) {
    return settings;
  }
  if (!profile.sso_session) {
    throw usage_error(fmt::format("profile \"{}\" refers to [sso-session {}], which is not in the "
                                  "config file",
                                  profile.name, session),
                      "Add that section, or run \"aws configure sso-session\".");
  }
  for (const auto& [name, value] : *profile.sso_session) {
    if (settings.try_emplace(name, value).first->second != value) {
      throw usage_error(fmt::format("profile \"{}\" and its [sso-session {}] give different {}",
                                    profile.name, session, name),
                        "Remove it from the profile.");
    }
  }
  return settings;
}

/// Throws a usage error that names what is missing.
SsoRole resolve_role(const Profile& profile) {
  const Settings settings = settings_of(profile);
  std::vector<std::string_view> missing;
  const auto take = [&](std::string_view name) {
    const auto found = settings.find(name);
    if (found == settings.end() || found->second.empty()) {
      missing.push_back(name);
      return std::string();
    }
    return found->second;
  };
  SsoRole role;
  role.account = take(kAccount);
  role.name = take(kRole);
  role.login.profile = profile.name;
  role.login.session = profile.setting(kSession);
  role.login.region = take(kRegion);
  role.login.start_url = take(kStartUrl);
  if (!missing.empty()) {
    throw usage_error(fmt::format("profile \"{}\" uses single sign-on but has no {}", profile.name,
                                  fmt::join(missing, ", ")),
                      "Run \"aws configure sso\", or add that setting.");
  }
  return role;
}

/// Nothing if it is not a response of GetRoleCredentials.
std::optional<aws::Credentials> read_answer(PaddedBuffer body) {
  const std::optional<SecretDocument> document = SecretDocument::parse(std::move(body));
  const boost::json::value* member =
      document ? document->members().if_contains("roleCredentials") : nullptr;
  const boost::json::object* role = member != nullptr ? member->if_object() : nullptr;
  if (role == nullptr) {
    return std::nullopt;
  }
  aws::Credentials credentials;
  credentials.access_key_id = aws::text_member(*role, "accessKeyId");
  credentials.secret_access_key = aws::text_member(*role, "secretAccessKey");
  credentials.session_token = aws::text_member(*role, "sessionToken");
  const boost::json::value* expiration = role->if_contains("expiration");
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() ||
      credentials.session_token.empty() || expiration == nullptr || !expiration->is_int64()) {
    return std::nullopt;
  }
  credentials.expires_at = unix_time<std::chrono::milliseconds>(expiration->get_int64());
  return credentials;
}

/// Explains a rejection to the user.
Error explain(const Error& error, const SsoRole& role) {
  const ErrorDetails& details = error.details();
  if (details.code == "UnauthorizedException") {
    return login_error(role.login, details.code, "the login is no longer valid");
  }
  if (details.code == "ForbiddenException" || details.code == "ResourceNotFoundException") {
    ErrorDetails with_hint = details;
    with_hint.hint =
        fmt::format("Check {} and {}, and that this role is assigned to you.", kAccount, kRole);
    return {error.kind(), std::move(with_hint)};
  }
  return error;
}

}  // namespace

SsoCredentials::SsoCredentials(Connector& connector, Profile profile)
    : connector_(connector), profile_(std::move(profile)) {}

Awaitable<std::optional<aws::Credentials>> SsoCredentials::find() {
  if (!has_role(profile_)) {
    co_return std::nullopt;
  }
  const SsoRole role = resolve_role(profile_);
  const aws::SecretText token = co_await find_sso_token(connector_, role.login);
  std::vector<http::Header> headers(1);
  const WipedAtEnd header_wiped(headers.front().value);
  headers.front().name = "x-amz-sso_bearer_token";
  headers.front().value = token;
  const std::string path =
      fmt::format("/federation/credentials?role_name={}&account_id={}",
                  aws::percent_encode(role.name), aws::percent_encode(role.account));
  const std::string object = fmt::format("role {} in account {} of profile \"{}\"", role.name,
                                         role.account, profile_.name);
  const aws::Call call{.operation = "GetRoleCredentials",
                       .object = object,
                       .body = {},
                       .method = "GET",
                       .path = path,
                       .is_signed = false,
                       .secrets = {token},
                       .headers = headers};
  const auto connection = connector_.service(co_await asio::this_coro::executor, aws::kSsoPortal,
                                             role.login.region, nullptr);
  std::optional<aws::Credentials> credentials;
  const aws::Client::Accept accept = [&credentials](http::Response response) {
    credentials = read_answer(std::move(response.body));
    if (!credentials) {
      throw aws::MalformedResponse("the response contains no credentials");
    }
  };
  std::optional<Error> failure;
  try {
    co_await connection->client.call(call, accept);
  } catch (const Error& error) {
    failure = explain(error, role);
  }
  if (failure) {
    throw Error(*failure);
  }
  credentials->source = fmt::format("profile \"{}\" (aws sso login)", profile_.name);
  credentials->account_id = role.account;
  co_return credentials;
}

std::string SsoCredentials::place() const {
  return fmt::format("single sign-on of profile \"{}\"{}", profile_.name,
                     has_role(profile_) ? "" : fmt::format(" ({} is not set)", kAccount));
}

}  // namespace everyitem::identity
