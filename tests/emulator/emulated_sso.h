// IAM Identity Center as far as finding an identity needs it: the portal that gives a role's
// credentials for a token of `aws sso login`, and the service that renews such tokens.
//
// Access tokens that begin with "sso-live" are known and never expire; others are not, but for
// those that CreateToken issued. Refresh tokens that begin with "refresh-live" are taken. A client
// whose secret begins with "client-live" is registered. Roles named ...refused... are refused.
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
  /// Tokens that CreateToken issues live for `token_lifetime`.
  EmulatedSso(IdentityRegister& identities, std::chrono::seconds token_lifetime)
      : identities_(identities), token_lifetime_(token_lifetime) {}

  /// Empty for requests to others.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  Reply role_credentials(const ReceivedRequest& request, IdentityRegister::Time now);
  Reply create_token(const ReceivedRequest& request, IdentityRegister::Time now);

  IdentityRegister& identities_;
  std::chrono::seconds token_lifetime_;
  /// Access tokens that were issued, and until when they are taken.
  std::map<std::string, IdentityRegister::Time, std::less<>> tokens_;
};

/// An error as services in REST with JSON say it: the code in a header.
Reply rest_error(int status, std::string_view code, std::string_view message);

}  // namespace everyitem::emulator
