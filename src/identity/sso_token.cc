#include "identity/sso_token.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <openssl/sha.h>

#include "base/descriptor.h"
#include "identity/iso_time.h"
#include "identity/secret_file.h"

namespace everyitem::identity {

namespace {

using std::chrono::system_clock;

/// As in the AWS tools, a token that expires sooner is refreshed.
constexpr std::chrono::minutes kRefreshWindow{15};

/// For refreshing a token that is still valid.
constexpr aws::Patience kEarlyPatience{.failing = std::chrono::seconds(10),
                                       .throttled = std::chrono::seconds(10)};

std::string system_words() { return std::generic_category().message(errno); }

/// The login, or why there is none.
std::variant<CachedLogin, std::string> load(const std::filesystem::path& path) {
  try {
    std::optional<CachedLogin> login = parse_cached_login(read_secret_file(path));
    if (!login) {
      return path.string() + " is not a login file";
    }
    return std::move(*login);
  } catch (const std::system_error& error) {
    return error.code() == std::errc::no_such_file_or_directory
               ? std::string("nobody has logged in")
               : path.string() + ": " + error.code().message();
  }
}

/// Replaces the file atomically, readable only for its owner. Returns why it could not be written,
/// or nothing.
std::string replace_file(const std::filesystem::path& path, std::string_view text) {
  std::string temporary = path.string() + ".XXXXXX";
  {
    const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
    if (file.get() < 0) {
      return system_words();
    }
    while (!text.empty()) {
      const ssize_t written = write(file.get(), text.data(), text.size());
      if (written < 0 && errno != EINTR) {
        std::string reason = system_words();
        unlink(temporary.c_str());
        return reason;
      }
      text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::string reason = system_words();
    unlink(temporary.c_str());
    return reason;
  }
  return {};
}

std::string name_of(const SsoLogin& login) {
  return login.session.empty()
             ? fmt::format("the single sign-on of profile \"{}\"", login.profile)
             : fmt::format("SSO session \"{}\" of profile \"{}\"", login.session, login.profile);
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

/// Returns why it could not be refreshed, or nothing.
Awaitable<std::string> refresh(Connector& connector, const SsoLogin& login, CachedLogin& cached) {
  std::string body = refresh_request(cached);
  const WipedAtEnd wiped(body);
  const aws::SecretText client_id = cached.document.text("clientId");
  const aws::SecretText client_secret = cached.document.text("clientSecret");
  const aws::SecretText refresh_token = cached.document.text("refreshToken");
  const std::string name = name_of(login);
  std::optional<aws::Patience> patience;
  if (cached.expires_at > connector.clock().wall_now()) {
    patience = kEarlyPatience;
  }
  const aws::Call call{.operation = "CreateToken",
                       .object = name,
                       .body = body,
                       .path = "/token",
                       .is_signed = false,
                       .secrets = {client_id, client_secret, refresh_token},
                       .patience = patience};
  std::string failure;
  try {
    const auto connection =
        connector.service(co_await asio::this_coro::executor, aws::kSsoOidc, login.region, nullptr);
    PaddedBuffer answer;
    const aws::Client::Accept accept = [&answer](http::Response response) {
      answer = std::move(response.body);
    };
    co_await connection->client.call(call, accept);
    failure = adopt(std::move(answer), cached, connector.clock().wall_now());
  } catch (const Error& error) {
    const ErrorDetails& details = error.details();
    failure =
        (details.code.empty() ? details.message : details.code + ": " + details.message).text();
  }
  co_return failure;
}

}  // namespace

Error login_error(const SsoLogin& login, std::string code, std::string reason) {
  return {ErrorKind::failed,
          {.operation = "find credentials",
           .object = name_of(login),
           .code = std::move(code),
           .message = std::move(reason),
           .hint = login.session.empty()
                       ? fmt::format("Run \"aws sso login --profile {}\".", login.profile)
                       : fmt::format("Run \"aws sso login --sso-session {}\".", login.session)}};
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
  const std::string home = environment("HOME");
  if (home.empty()) {
    throw login_error(login, {}, "HOME is not set, so the login file cannot be found");
  }
  const std::string& name = login.session.empty() ? login.start_url : login.session;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
  return std::filesystem::path(home) / ".aws" / "sso" / "cache" /
         fmt::format("{:02x}.json", fmt::join(digest, ""));
}

Awaitable<aws::SecretText> find_sso_token(Connector& connector, SsoLogin login) {
  const std::filesystem::path path = login_path(login, connector.environment());
  std::variant<CachedLogin, std::string> loaded = load(path);
  if (auto* reason = std::get_if<std::string>(&loaded)) {
    throw login_error(login, {}, std::move(*reason));
  }
  CachedLogin& cached = std::get<CachedLogin>(loaded);
  const auto now = connector.clock().wall_now();
  std::string failure;
  if (!login.session.empty() && cached.expires_at - now < kRefreshWindow &&
      is_refreshable(cached, now)) {
    failure = co_await refresh(connector, login, cached);
    if (failure.empty()) {
      std::string text = cached.document.serialized();
      const WipedAtEnd wiped(text);
      if (const std::string reason = replace_file(path, text); !reason.empty()) {
        connector.context().notice(fmt::format("Cannot save the refreshed login of {}: {}: {}",
                                               name_of(login), path.string(), reason));
      }
    } else if (auto again = load(path);
               std::holds_alternative<CachedLogin>(again) &&
               std::get<CachedLogin>(again).expires_at > cached.expires_at) {
      // Another program may have refreshed it meanwhile, and a refresh token may work only once.
      cached = std::move(std::get<CachedLogin>(again));
      failure.clear();
    }
  }
  if (cached.expires_at <= now) {
    throw login_error(login, {},
                      failure.empty()
                          ? "the login has expired"
                          : "the login has expired, and refreshing it failed: " + failure);
  }
  if (!failure.empty()) {
    connector.context().notice(
        fmt::format("The login of {} expires at {}; refreshing it failed: {}", name_of(login),
                    format_iso_time(cached.expires_at), failure));
  }
  co_return aws::SecretText(cached.document.text("accessToken"));
}

}  // namespace everyitem::identity
