// The part of IAM Identity Center that finding an identity needs: the portal that exchanges a token
// of `aws sso login` for a role's credentials, and the service that renews such tokens.
//
// Access tokens that begin with "sso-live" are known and never expire; other tokens are only known
// if CreateToken issued them. Refresh tokens that begin with "refresh-live" are accepted. A client
// whose secret begins with "client-live" is registered. Roles named ...refused... are rejected.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "emulator/identity_register.h"
#include "emulator/service_reply.h"

namespace everyitem::emulator {

/// GetRoleCredentials (GET /federation/credentials) and CreateToken (POST /token). One event loop.
class EmulatedSso {
 public:
  /// Tokens issued by CreateToken are valid for `token_lifetime`.
  EmulatedSso(IdentityRegister& identities, std::chrono::seconds token_lifetime)
      : identities_(identities), token_lifetime_(token_lifetime) {}

  /// Empty for other requests.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  Reply role_credentials(const ReceivedRequest& request, IdentityRegister::Time now);
  Reply create_token(const ReceivedRequest& request, IdentityRegister::Time now);

  IdentityRegister& identities_;
  std::chrono::seconds token_lifetime_;
  /// Issued access tokens, and when they expire.
  std::map<std::string, IdentityRegister::Time, std::less<>> tokens_;
};

/// An error in the style of REST services with JSON: the code is in a header.
Reply rest_error(int status, std::string_view code, std::string_view message);

}  // namespace everyitem::emulator
