#include "identity/sso_token.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <openssl/sha.h>

#include "identity/iso_time.h"
#include "identity/user_path.h"

namespace everyitem::identity {

namespace {

using std::chrono::system_clock;

/// As in the AWS tools, a token that expires sooner is refreshed.
constexpr std::chrono::minutes kRefreshWindow{15};

std::string name_of(const SsoLogin& login) {
  return login.session.empty()
             ? fmt::format("the single sign-on of profile \"{}\"", login.profile)
             : fmt::format("SSO session \"{}\" of profile \"{}\"", login.session, login.profile);
}

std::string hint_of(const SsoLogin& login) {
  return login.session.empty()
             ? fmt::format("Run \"aws sso login --profile {}\".", login.profile)
             : fmt::format("Run \"aws sso login --sso-session {}\".", login.session);
}

/// The body of a CreateToken request.
std::string refresh_request(const CachedLogin& cached) {
  std::optional<SecretDocument> request = SecretDocument::parse("{}");
  for (const char* name : {"clientId", "clientSecret", "refreshToken"}) {
    aws::SecretText value = cached.document.text(name);
    request->set(name, value);
  }
  request->set("grantType", "refresh_token");
  return request->serialized();
}

/// Copies the response of CreateToken into `cached`. Returns why that is not possible, or nothing.
std::string adopt(PaddedBuffer answer, CachedLogin& cached, system_clock::time_point now) {
  const std::optional<SecretDocument> token = SecretDocument::parse(std::move(answer));
  if (!token) {
    return "the response is not a JSON object";
  }
  const aws::SecretText access_token = token->text("accessToken");
  const boost::json::value* lifetime = token->members().if_contains("expiresIn");
  if (access_token.empty() || lifetime == nullptr || !lifetime->is_int64() ||
      lifetime->get_int64() <= 0) {
    return "the response contains no token";
  }
  constexpr std::int64_t kLongest = std::int64_t{365} * 24 * 3600;
  cached.expires_at = now + std::chrono::seconds(std::min(lifetime->get_int64(), kLongest));
  cached.document.set("accessToken", access_token);
  cached.document.set("expiresAt", format_iso_time(cached.expires_at));
  if (const aws::SecretText refresh_token = token->text("refreshToken"); !refresh_token.empty()) {
    cached.document.set("refreshToken", refresh_token);
  }
  return {};
}

class SsoTokenLogin final : public StoredLogin {
 public:
  SsoTokenLogin(Connector& connector, SsoLogin login)
      : connector_(connector), login_(std::move(login)) {}

  std::string name() const override { return name_of(login_); }
  std::string hint() const override { return hint_of(login_); }
  std::filesystem::path path() const override {
    return login_path(login_, connector_.environment());
  }
  std::optional<CachedLogin> parse(PaddedBuffer text) const override {
    return parse_cached_login(std::move(text));
  }
  bool is_due(const CachedLogin& cached, system_clock::time_point now) const override {
    return !login_.session.empty() && cached.expires_at - now < kRefreshWindow &&
           is_refreshable(cached, now);
  }

  Awaitable<std::string> refresh(CachedLogin& cached) override {
    std::string body = refresh_request(cached);
    const WipedAtEnd wiped(body);
    const aws::SecretText client_id = cached.document.text("clientId");
    const aws::SecretText client_secret = cached.document.text("clientSecret");
    const aws::SecretText refresh_token = cached.document.text("refreshToken");
    const std::string object = name();
    const aws::Call call{.operation = "CreateToken",
                         .object = object,
                         .body = body,
                         .path = "/token",
                         .is_signed = false,
                         .secrets = {client_id, client_secret, refresh_token},
                         .patience = refresh_patience(cached, connector_.clock())};
    PaddedBuffer answer;
    std::string failure =
        co_await call_to_refresh(connector_, aws::kSsoOidc, login_.region, call, answer);
    co_return failure.empty() ? adopt(std::move(answer), cached, connector_.clock().wall_now())
                              : failure;
  }

 private:
  Connector& connector_;
  SsoLogin login_;
};

}  // namespace

Error login_error(const SsoLogin& login, std::string code, std::string reason) {
  return {ErrorKind::failed,
          {.operation = "find credentials",
           .object = name_of(login),
           .code = std::move(code),
           .message = std::move(reason),
           .hint = hint_of(login)}};
}

std::optional<CachedLogin> parse_cached_login(PaddedBuffer text) {
  std::optional<SecretDocument> document = SecretDocument::parse(std::move(text));
  if (!document) {
    return std::nullopt;
  }
  const aws::SecretText token = document->text("accessToken");
  const auto expires_at = parse_iso_time(document->text("expiresAt"));
  if (token.empty() || !expires_at) {
    return std::nullopt;
  }
  return CachedLogin{.document = std::move(*document), .expires_at = *expires_at};
}

bool is_refreshable(const CachedLogin& cached, system_clock::time_point now) {
  for (const char* name : {"refreshToken", "clientId", "clientSecret"}) {
    const aws::SecretText value = cached.document.text(name);
    if (value.empty()) {
      return false;
    }
  }
  const auto registered_until = parse_iso_time(cached.document.text("registrationExpiresAt"));
  return registered_until && *registered_until > now;
}

std::filesystem::path login_path(const SsoLogin& login, const Environment& environment) {
  const std::optional<std::string> folder = expand_path("~/.aws/sso/cache", environment);
  if (!folder) {
    throw login_error(login, {}, "HOME is not set, so the login file cannot be found");
  }
  const std::string& name = login.session.empty() ? login.start_url : login.session;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
  return std::filesystem::path(*folder) / fmt::format("{:02x}.json", fmt::join(digest, ""));
}

Awaitable<aws::SecretText> find_sso_token(Connector& connector, SsoLogin login) {
  SsoTokenLogin stored(connector, std::move(login));
  const CachedLogin cached = co_await find_login(connector, stored);
  co_return aws::SecretText(cached.document.text("accessToken"));
}

}  // namespace everyitem::identity
