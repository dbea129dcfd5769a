// Who the caller is. A provider finds credentials in one place; the chain asks them in order.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "aws/secret_text.h"
#include "base/async.h"

namespace everyitem::aws {

struct Credentials {
  std::string access_key_id;
  SecretText secret_access_key;
  SecretText session_token;  ///< empty for long-lived keys
  /// When the service stops accepting them; nothing for those that do not say.
  std::optional<std::chrono::system_clock::time_point> expires_at;
  /// Where they are from, for the user: "environment variables", "role deploy of profile b".
  std::string source = {};

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// One place where credentials may be. Used from one event loop.
class CredentialsProvider {
 public:
  CredentialsProvider() = default;
  CredentialsProvider(const CredentialsProvider&) = delete;
  CredentialsProvider& operator=(const CredentialsProvider&) = delete;
  virtual ~CredentialsProvider() = default;

  /// Valid credentials, found anew when those held are known to be refused (`invalidate`).
  /// Throws Error when this place has some that cannot be used; returns nothing when it has none.
  virtual Awaitable<std::optional<Credentials>> find() = 0;

  /// The service refused what `find` gave last: the next `find` looks again.
  virtual void invalidate() {}

  /// Where this provider looks, for messages; after a `find` also what was there, where that helps:
  /// `profile "default" in ~/.aws/config (no such file) and ...`. Holds no secret.
  virtual std::string place() const = 0;
};

}  // namespace everyitem::aws
