// Everything that an identity is found with: STS, IAM Identity Center, and the endpoints of
// machines and containers. What their names mean stands in the header of each.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "emulator/emulated_metadata.h"
#include "emulator/emulated_sso.h"
#include "emulator/emulated_sts.h"
#include "emulator/fault_plan.h"
#include "emulator/identity_register.h"
#include "emulator/service_reply.h"

namespace everyitem::emulator {

struct IdentityOptions {
  /// Of all that is issued; none: as each was asked for.
  std::optional<std::chrono::seconds> session_lifetime = {};
  std::chrono::seconds sso_token_lifetime = std::chrono::hours(8);
  MetadataOptions metadata = {};
};

/// One event loop.
class EmulatedIdentity {
 public:
  EmulatedIdentity(IdentityRegister& identities, const IdentityOptions& options)
      : sts_(identities),
        sso_(identities, options.sso_token_lifetime),
        metadata_(identities, options.metadata),
        container_(identities) {}

  /// The operation that a request asks one of these for: "AssumeRole", "GetRoleCredentials",
  /// "MetadataToken"; empty when it asks none of them.
  static std::string operation_of(const ReceivedRequest& request);

  /// `fault` is one that a service meets; those of the network are the server's.
  Reply answer(const ReceivedRequest& request, std::optional<Fault> fault,
               IdentityRegister::Time now);

 private:
  EmulatedSts sts_;
  EmulatedSso sso_;
  EmulatedInstanceMetadata metadata_;
  EmulatedContainer container_;
};

}  // namespace everyitem::emulator
