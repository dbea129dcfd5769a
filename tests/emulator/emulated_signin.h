// The part of AWS Sign-In that refreshes the sessions of `aws login`.
//
// Refresh tokens that begin with "login-live" are accepted; ones that begin with "login-expired"
// have expired, and all others are not allowed. Each proof (DPoP) must be right, and new.
#pragma once

#include <set>
#include <string>

#include "emulator/identity_register.h"
#include "emulator/service_reply.h"

namespace everyitem::emulator {

/// CreateOAuth2Token (POST /v1/token). One event loop.
class EmulatedSignin {
 public:
  explicit EmulatedSignin(IdentityRegister& identities) : identities_(identities) {}

  /// Empty for other requests.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  bool is_proven(const ReceivedRequest& request, IdentityRegister::Time now);

  IdentityRegister& identities_;
  std::set<std::string> proofs_;  ///< that were used
};

}  // namespace everyitem::emulator
