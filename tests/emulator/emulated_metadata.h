// The endpoints that provide role credentials to machines and containers: EC2 instance metadata,
// and the container endpoint of ECS and EKS.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/identity_register.h"
#include "emulator/service_reply.h"

namespace everyitem::emulator {

/// The enabled versions of the instance metadata service.
enum class MetadataMode {
  v2,         ///< a token is required
  v1_and_v2,  ///< a token is accepted but not required
  v1,         ///< as on old machines: there are no tokens
  disabled,   ///< 403, as if the instance's HttpEndpoint were disabled
};

struct MetadataOptions {
  MetadataMode mode = MetadataMode::v2;
  /// The instance's role; if empty, there is none (404). For a role named ...refused..., the
  /// response has a Code other than Success.
  std::string role = "instance-role";
  std::string region = "eu-north-1";
};

/// Instance metadata: tokens, the role and its credentials, the region. Like the real one, it
/// returns the same credentials until half of their lifetime is over. One event loop.
class EmulatedInstanceMetadata {
 public:
  EmulatedInstanceMetadata(IdentityRegister& identities, MetadataOptions options)
      : identities_(identities), options_(std::move(options)) {}

  /// MetadataToken, MetadataRole, MetadataCredentials, MetadataDocument, MetadataRegion; empty for
  /// other requests.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  Reply token(const ReceivedRequest& request, IdentityRegister::Time now);
  Reply credentials(IdentityRegister::Time now);

  IdentityRegister& identities_;
  MetadataOptions options_;
  std::map<std::string, IdentityRegister::Time, std::less<>> tokens_;  ///< until when each is valid
  std::string current_;                                                ///< access key id
  IdentityRegister::Time replaced_at_;
};

/// Container credentials: /v2/credentials/ROLE as in ECS, and /v1/credentials as in EKS Pod
/// Identity, for the role "pod-role". A role named token-X requires "Authorization: X"; EKS
/// requires a token that begins with "pod-live". A role named ...refused... is rejected. One event
/// loop.
class EmulatedContainer {
 public:
  explicit EmulatedContainer(IdentityRegister& identities) : identities_(identities) {}

  /// ContainerCredentials; empty for other requests.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  IdentityRegister& identities_;
};

}  // namespace everyitem::emulator
