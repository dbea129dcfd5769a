// The caller's credentials. A provider finds them in one source; the chain asks providers in order.
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
  /// When they expire; nothing if that is unknown.
  std::optional<std::chrono::system_clock::time_point> expires_at;
  /// Their source, for the user: "environment variables", "role deploy of profile b".
  std::string source = {};
  std::string account_id = {};  ///< whose they are; empty if the source does not say

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

/// One source of credentials. Used from one event loop.
class CredentialsProvider {
 public:
  CredentialsProvider() = default;
  CredentialsProvider(const CredentialsProvider&) = delete;
  CredentialsProvider& operator=(const CredentialsProvider&) = delete;
  virtual ~CredentialsProvider() = default;

  /// Valid credentials, refreshed if the current ones are known to be rejected (`invalidate`).
  /// Throws Error if this source has unusable ones; returns nothing if it has none.
  virtual Awaitable<std::optional<Credentials>> find() = 0;

  /// The service rejected what `find` last returned: the next `find` looks again.
  virtual void invalidate() {}

  /// Where this provider looks, for messages; after a `find` also what was found, if that helps:
  /// `profile "default" in ~/.aws/config (no such file) and ...`. Contains no secret.
  virtual std::string place() const = 0;
};

}  // namespace everyitem::aws
