// The token of a login with single sign-on, which `aws sso login` keeps in ~/.aws/sso/cache.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "aws/secret_text.h"
#include "base/async.h"
#include "base/error.h"
#include "identity/connector.h"
#include "identity/secret_json.h"

namespace everyitem::identity {

/// Which login is meant.
struct SsoLogin {
  std::string profile;    ///< that wants it
  std::string session;    ///< the NAME of [sso-session NAME]; empty in the older form without one
  std::string start_url;  ///< names it where there is no session
  std::string region;     ///< where the tokens are given
};

/// An error about it: it ends with how to log in.
Error login_error(const SsoLogin& login, std::string code, std::string reason);

/// A login as it is in its file.
struct CachedLogin {
  SecretDocument document;  ///< with accessToken
  std::chrono::system_clock::time_point expires_at;
};

/// Nothing for a text that is none.
std::optional<CachedLogin> parse_cached_login(PaddedBuffer text);

/// What a token may be asked for with; nothing where it must be logged in again.
bool is_refreshable(const CachedLogin& cached, std::chrono::system_clock::time_point now);

/// In the home directory that the environment names. Throws Error when it names none.
std::filesystem::path login_path(const SsoLogin& login, const Environment& environment);

/// The login's token. One of a session that ends within a quarter of an hour is refreshed first,
/// and the file is replaced; where that cannot be, it is used while it lives. Throws Error, which
/// says how to log in, when there is no token that lives.
Awaitable<aws::SecretText> find_sso_token(Connector& connector, SsoLogin login);

}  // namespace everyitem::identity
