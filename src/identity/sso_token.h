// The token of a single sign-on login, which `aws sso login` stores in ~/.aws/sso/cache.
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
#include "identity/stored_login.h"

namespace everyitem::identity {

/// Identifies a login.
struct SsoLogin {
  std::string profile;    ///< the profile that uses it
  std::string session;    ///< the NAME of [sso-session NAME]; empty in the older form without one
  std::string start_url;  ///< identifies it if there is no session
  std::string region;     ///< where tokens are issued
};

/// An error about this login; its hint says how to log in.
Error login_error(const SsoLogin& login, std::string code, std::string reason);

/// Nothing if the text is not a login with an accessToken.
std::optional<CachedLogin> parse_cached_login(PaddedBuffer text);

/// Whether a new token can be requested without logging in again.
bool is_refreshable(const CachedLogin& cached, std::chrono::system_clock::time_point now);

/// The file in the home directory named by the environment. Throws Error if it names none.
std::filesystem::path login_path(const SsoLogin& login, const Environment& environment);

/// The login's token. If a session's token expires within 15 minutes, it is refreshed first and the
/// file is replaced; if that fails, the old token is used until it expires. Throws Error, which
/// says how to log in, if there is no valid token.
Awaitable<aws::SecretText> find_sso_token(Connector& connector, SsoLogin login);

}  // namespace everyitem::identity
