// The identities known to the emulated services: users, and issued sessions.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "emulator/signature_check.h"

namespace everyitem::emulator {

inline constexpr std::string_view kAccount = "000000000000";

/// Every access key with this prefix belongs to a user and has the secret `secret-of-` + the access
/// key id: AKIDUSERBOB is user/BOB. Tests can use any number of them.
inline constexpr std::string_view kUserPrefix = "AKIDUSER";

/// The access keys of role sessions contain the role: ASIA.ROLE.SESSION.NUMBER, with the secret
/// `secret-of-ASIA...` and the token `token-of-ASIA...`.
struct Identity {
  aws::Credentials credentials;
  std::string arn;
  std::string user_id;
};

struct SessionRequest {
  std::string account = std::string(kAccount);
  std::string role;               ///< its name, without a path
  std::string session;            ///< RoleSessionName
  std::chrono::seconds lifetime;  ///< as requested; overridden by the register's own, if set
  std::string partition = "aws";
  std::string operation;  ///< that issues it, for the report
  std::string caller;     ///< the caller's access key id; empty if unsigned
};

/// An issued session, for the report.
struct IssuedSession {
  std::string access_key_id;
  std::string arn;
  std::string operation;
  std::string caller;
};

/// One event loop.
class IdentityRegister {
 public:
  using Time = std::chrono::system_clock::time_point;

  /// `owner` may call too. Sessions last for `lifetime`, whatever was requested; if not set, as
  /// requested.
  explicit IdentityRegister(aws::Credentials owner,
                            std::optional<std::chrono::seconds> lifetime = {});

  /// Null for an unknown access key. Valid until the next call of a member.
  const Identity* find(std::string_view access_key_id);
  const Identity& issue(const SessionRequest& request, Time now);

  /// Rejects requests with a wrong signature, or from an unknown or expired identity.
  std::optional<SignatureRefusal> check(const ReceivedRequest& request, std::string_view service,
                                        Time now);
  /// The caller of a request that `check` has accepted.
  const Identity& caller_of(const ReceivedRequest& request) {
    return *find(access_key_id_of(request));
  }

  const std::vector<IssuedSession>& issued() const { return issued_; }

 private:
  std::map<std::string, Identity, std::less<>> identities_;  ///< by access key id
  std::optional<std::chrono::seconds> lifetime_;
  std::vector<IssuedSession> issued_;
};

/// "2026-11-25T04:30:00Z", the format of the services.
std::string iso_time(std::chrono::system_clock::time_point time);

}  // namespace everyitem::emulator
