// The part of the Security Token Service that finding an identity needs, in its query protocol:
// form fields in, XML out.
//
// The name of a role says who may assume it:
//   ...refused...       nobody: AccessDenied
//   external-id-X       anyone with the ExternalId X
//   mfa-123456          anyone with a SerialNumber and the TokenCode 123456
//   only-NAME           the user NAME (AKIDUSERNAME), or a session of the role NAME
// Any other role: any known identity. A WebIdentityToken that begins with "web-live" is accepted,
// one that begins with "web-expired" has expired, and others are invalid.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "emulator/identity_register.h"
#include "emulator/service_reply.h"

namespace everyitem::emulator {

/// AssumeRole (signed by a known identity), AssumeRoleWithWebIdentity (unsigned) and
/// GetCallerIdentity, within STS's limits. One event loop.
class EmulatedSts {
 public:
  explicit EmulatedSts(IdentityRegister& identities) : identities_(identities) {}

  /// The action of a request to STS, such as "AssumeRole"; empty for other requests.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  using Fields = std::map<std::string, std::string, std::less<>>;

  std::string assume_role(const Fields& fields, const Identity* caller, IdentityRegister::Time now);

  IdentityRegister& identities_;
};

/// An error in the XML of STS.
Reply sts_error(int status, std::string_view code, std::string_view message);

}  // namespace everyitem::emulator
