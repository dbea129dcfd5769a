#include "identity/login_credentials.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "aws/json_members.h"
#include "base/sha256.h"
#include "identity/dpop_proof.h"
#include "identity/iso_time.h"
#include "identity/stored_login.h"
#include "identity/user_path.h"

namespace everyitem::identity {

namespace {

using std::chrono::system_clock;

constexpr std::string_view kSetting = "login_session";
constexpr std::string_view kPath = "/v1/token";
constexpr std::string_view kToken = "accessToken";

/// As in botocore: credentials that live longer are used as they are.
constexpr std::chrono::minutes kRefreshWindow{5};

/// Null unless it has keys.
const boost::json::object* token_of(const SecretDocument& document) {
  const boost::json::value* member = document.members().if_contains(kToken);
  const boost::json::object* token = member != nullptr ? member->if_object() : nullptr;
  for (const char* name : {"accessKeyId", "secretAccessKey", "sessionToken"}) {
    const aws::SecretText text = token == nullptr ? "" : aws::text_member(*token, name);
    if (text.empty()) {
      return nullptr;
    }
  }
  return token;
}

/// Copies the response of CreateOAuth2Token into `cached`. Returns why that is not possible, or
/// nothing.
std::string adopt(PaddedBuffer answer, CachedLogin& cached, system_clock::time_point now) {
  const std::optional<SecretDocument> response = SecretDocument::parse(std::move(answer));
  const boost::json::object* token = response ? token_of(*response) : nullptr;
  const boost::json::value* lifetime =
      response ? response->members().if_contains("expiresIn") : nullptr;
  const aws::SecretText refresh_token = response ? response->text("refreshToken") : "";
  if (token == nullptr || lifetime == nullptr || !lifetime->is_int64() ||
      lifetime->get_int64() <= 0 || refresh_token.empty()) {
    return "the response contains no token";
  }
  constexpr std::int64_t kLongest = std::int64_t{24} * 3600;
  cached.expires_at = now + std::chrono::seconds(std::min(lifetime->get_int64(), kLongest));
  for (const char* name : {"accessKeyId", "secretAccessKey", "sessionToken"}) {
    const aws::SecretText text = aws::text_member(*token, name);
    cached.document.set_in(kToken, name, text);
  }
  cached.document.set_in(kToken, "expiresAt", format_iso_time(cached.expires_at));
  cached.document.set("refreshToken", refresh_token);
  return {};
}

class LoginSession final : public StoredLogin {
 public:
  LoginSession(Connector& connector, const Profile& profile)
      : connector_(connector), profile_(profile) {}

  std::string name() const override {
    return fmt::format("the login session of profile \"{}\"", profile_.name);
  }
  std::string hint() const override {
    return fmt::format("Run \"aws login --profile {}\".", profile_.name);
  }

  std::filesystem::path path() const override {
    std::string folder = connector_.environment()("AWS_LOGIN_CACHE_DIRECTORY");
    if (folder.empty()) {
      folder = "~/.aws/login/cache";
    }
    const std::optional<std::string> expanded = expand_path(folder, connector_.environment());
    if (!expanded) {
      throw login_error(*this, {}, "HOME is not set, so the login file cannot be found");
    }
    return std::filesystem::path(*expanded) / (hex(sha256(profile_.setting(kSetting))) + ".json");
  }

  std::optional<CachedLogin> parse(PaddedBuffer text) const override {
    std::optional<SecretDocument> document = SecretDocument::parse(std::move(text));
    const boost::json::object* token = document ? token_of(*document) : nullptr;
    const auto expires_at =
        token == nullptr ? std::nullopt : parse_iso_time(aws::text_member(*token, "expiresAt"));
    if (!expires_at) {
      return std::nullopt;
    }
    return CachedLogin{.document = std::move(*document), .expires_at = *expires_at};
  }

  bool is_due(const CachedLogin& cached, system_clock::time_point now) const override {
    return cached.expires_at - now <= kRefreshWindow;
  }

  Awaitable<std::string> refresh(CachedLogin& cached) override {
    std::optional<SecretDocument> request = SecretDocument::parse("{}");
    for (const char* name : {"clientId", "refreshToken"}) {
      const aws::SecretText value = cached.document.text(name);
      if (value.empty()) {
        co_return fmt::format("its file has no {}", name);
      }
      request->set(name, value);
    }
    request->set("grantType", "refresh_token");
    std::string body = request->serialized();
    const WipedAtEnd wiped(body);
    const aws::SecretText refresh_token = cached.document.text("refreshToken");
    const std::string region = cached.document.text("signInRegion");
    const aws::SecretText key = cached.document.text("dpopKey");
    std::vector<http::Header> headers(1);
    headers.front().name = "DPoP";
    ServiceFlags flags;
    flags.region = region;
    const std::string url =
        connector_.resolve(aws::kSignin, flags).endpoint.url() + std::string(kPath);
    const std::optional<std::string> proof =
        dpop_proof(key, url, connector_.clock().wall_now(), connector_.context().random);
    if (!proof) {
      co_return "its file has no usable dpopKey";
    }
    headers.front().value = *proof;
    const std::string object = name();
    const aws::Call call{.operation = "CreateOAuth2Token",
                         .object = object,
                         .body = body,
                         .path = kPath,
                         .is_signed = false,
                         .secrets = {refresh_token},
                         .headers = headers,
                         .patience = refresh_patience(cached, connector_.clock())};
    PaddedBuffer answer;
    std::string failure = co_await call_to_refresh(connector_, aws::kSignin, region, call, answer);
    co_return failure.empty() ? adopt(std::move(answer), cached, connector_.clock().wall_now())
                              : failure;
  }

 private:
  Connector& connector_;
  const Profile& profile_;
};

}  // namespace

Awaitable<std::optional<aws::Credentials>> LoginCredentials::find() {
  LoginSession session(connector_, profile_);
  const CachedLogin login = co_await find_login(connector_, session);
  const boost::json::object& token = *token_of(login.document);
  aws::Credentials credentials;
  credentials.access_key_id = aws::text_member(token, "accessKeyId");
  credentials.secret_access_key = aws::text_member(token, "secretAccessKey");
  credentials.session_token = aws::text_member(token, "sessionToken");
  credentials.expires_at = login.expires_at;
  credentials.account_id = aws::text_member(token, "accountId");
  credentials.source = fmt::format("profile \"{}\" (aws login)", profile_.name);
  co_return credentials;
}

std::string LoginCredentials::place() const {
  return fmt::format("{} of profile \"{}\"", kSetting, profile_.name);
}

}  // namespace everyitem::identity
