// All services that identities are found with: STS, IAM Identity Center, and the endpoints of
// machines and containers. The header of each explains the meaning of names.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "emulator/emulated_metadata.h"
#include "emulator/emulated_signin.h"
#include "emulator/emulated_sso.h"
#include "emulator/emulated_sts.h"
#include "emulator/fault_plan.h"
#include "emulator/identity_register.h"
#include "emulator/service_reply.h"

namespace everyitem::emulator {

struct IdentityOptions {
  /// The lifetime of all sessions; if not set, as requested.
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
        signin_(identities),
        metadata_(identities, options.metadata),
        container_(identities) {}

  /// The operation in a request to one of these: "AssumeRole", "GetRoleCredentials",
  /// "MetadataToken"; empty for other requests.
  static std::string operation_of(const ReceivedRequest& request);

  /// `fault` is one of a service's faults; the server itself produces those of the network.
  Reply answer(const ReceivedRequest& request, std::optional<Fault> fault,
               IdentityRegister::Time now);

 private:
  EmulatedSts sts_;
  EmulatedSso sso_;
  EmulatedSignin signin_;
  EmulatedInstanceMetadata metadata_;
  EmulatedContainer container_;
};

}  // namespace everyitem::emulator
