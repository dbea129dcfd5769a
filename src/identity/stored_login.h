// Logins that the AWS tools store in files, and that are refreshed before they expire.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/error.h"
#include "identity/connector.h"
#include "identity/secret_json.h"

namespace everyitem::identity {

/// A login as stored in its file.
struct CachedLogin {
  SecretDocument document;
  std::chrono::system_clock::time_point expires_at;
};

/// One login: what its file contains, and how it is refreshed.
class StoredLogin {
 public:
  StoredLogin() = default;
  StoredLogin(const StoredLogin&) = delete;
  StoredLogin& operator=(const StoredLogin&) = delete;
  virtual ~StoredLogin() = default;

  /// For messages: `SSO session "corp" of profile "b"`.
  virtual std::string name() const = 0;
  /// What to tell the user to do if there is no valid login.
  virtual std::string hint() const = 0;
  /// Throws Error if the environment names no folder.
  virtual std::filesystem::path path() const = 0;
  /// Nothing if the text is not such a login.
  virtual std::optional<CachedLogin> parse(PaddedBuffer text) const = 0;
  /// Whether it should, and can, be refreshed now.
  virtual bool is_due(const CachedLogin& cached,
                      std::chrono::system_clock::time_point now) const = 0;
  /// Changes `cached`. Returns why it could not be refreshed, or nothing.
  virtual Awaitable<std::string> refresh(CachedLogin& cached) = 0;
};

/// An error about this login; its hint says how to log in.
Error login_error(const StoredLogin& login, std::string code, std::string reason);

/// The login from its file. One that is due is refreshed first, and the file is replaced; if that
/// fails, the old one is used until it expires. Throws Error, which says how to log in, if there is
/// no valid login.
Awaitable<CachedLogin> find_login(Connector& connector, StoredLogin& login);

/// How long refreshing is retried: briefly while the login is valid, otherwise as usual.
std::optional<aws::Patience> refresh_patience(const CachedLogin& cached, Clock& clock);

/// Makes an unsigned call that refreshes a login. Returns why it failed, or nothing. An empty
/// region is the configured one.
Awaitable<std::string> call_to_refresh(Connector& connector, const aws::ServiceModel& model,
                                       const std::string& region, const aws::Call& call,
                                       PaddedBuffer& answer);

}  // namespace everyitem::identity
