// Who is known to the emulated services: the users there are, and the sessions that were issued.
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

/// Every access key that begins so is a user's, with the secret `secret-of-` + the access key id:
/// AKIDUSERBOB is user/BOB. Tests can have as many as they like.
inline constexpr std::string_view kUserPrefix = "AKIDUSER";

/// Where AWS answers a request for a role's session, ours is named so that the role can be told:
/// ASIA.ROLE.SESSION.NUMBER, with the secret `secret-of-ASIA...` and the token `token-of-ASIA...`.
struct Identity {
  aws::Credentials credentials;
  std::string arn;
  std::string user_id;
};

struct SessionRequest {
  std::string account = std::string(kAccount);
  std::string role;               ///< its name, without a path
  std::string session;            ///< RoleSessionName
  std::chrono::seconds lifetime;  ///< as asked for; the register's own counts where it has one
  std::string partition = "aws";
  std::string operation;  ///< by which it is issued, for the report
  std::string caller;     ///< the access key id of who asked; empty where nobody signed
};

/// A session that was issued, for the report.
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

  /// `owner` may call too. What is issued lives for `lifetime`, whatever was asked for; as long as
  /// was asked for where there is none.
  explicit IdentityRegister(aws::Credentials owner,
                            std::optional<std::chrono::seconds> lifetime = {});

  /// Null for an access key that nobody has. Valid until the next call of a member.
  const Identity* find(std::string_view access_key_id);
  const Identity& issue(const SessionRequest& request, Time now);

  /// Refuses what is signed wrong, by an unknown identity, or by one that has expired.
  std::optional<SignatureRefusal> check(const ReceivedRequest& request, std::string_view service,
                                        Time now);
  /// Of a request that `check` let pass.
  const Identity& caller_of(const ReceivedRequest& request) {
    return *find(access_key_id_of(request));
  }

  const std::vector<IssuedSession>& issued() const { return issued_; }

 private:
  std::map<std::string, Identity, std::less<>> identities_;  ///< by access key id
  std::optional<std::chrono::seconds> lifetime_;
  std::vector<IssuedSession> issued_;
};

/// "2026-11-25T04:30:00Z", as the services write times.
std::string iso_time(std::chrono::system_clock::time_point time);

}  // namespace everyitem::emulator
