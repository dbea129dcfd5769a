// The two endpoints that give a machine and a container their role's credentials: EC2's instance
// metadata, and the one of ECS and EKS.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "emulator/identity_register.h"
#include "emulator/service_reply.h"

namespace everyitem::emulator {

/// Which versions of the instance metadata service are on.
enum class MetadataMode {
  v2,         ///< a token is wanted
  v1_and_v2,  ///< a token is taken, not wanted
  v1,         ///< as machines of old: no token is given
  disabled,   ///< 403, as where the instance's HttpEndpoint is disabled
};

struct MetadataOptions {
  MetadataMode mode = MetadataMode::v2;
  /// Of the instance; empty where it has none: 404. Of one named ...refused..., what it answers has
  /// a Code that is not Success.
  std::string role = "instance-role";
  std::string region = "eu-north-1";
};

/// Instance metadata: tokens, the role and its credentials, the region. As it does, it gives the
/// same credentials until half of their life is over. One event loop.
class EmulatedInstanceMetadata {
 public:
  EmulatedInstanceMetadata(IdentityRegister& identities, MetadataOptions options)
      : identities_(identities), options_(std::move(options)) {}

  /// MetadataToken, MetadataRole, MetadataCredentials, MetadataDocument, MetadataRegion; empty for
  /// requests to others.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  Reply token(const ReceivedRequest& request, IdentityRegister::Time now);
  Reply credentials(IdentityRegister::Time now);

  IdentityRegister& identities_;
  MetadataOptions options_;
  std::map<std::string, IdentityRegister::Time, std::less<>> tokens_;  ///< until when each is taken
  std::string current_;                                                ///< access key id
  IdentityRegister::Time replaced_at_;
};

/// Container credentials: /v2/credentials/ROLE as ECS gives them, /v1/credentials as EKS Pod
/// Identity does, for the role "pod-role". A role named token-X wants "Authorization: X"; EKS's
/// wants one that begins with "pod-live". A role named ...refused... is refused. One event loop.
class EmulatedContainer {
 public:
  explicit EmulatedContainer(IdentityRegister& identities) : identities_(identities) {}

  /// ContainerCredentials; empty for requests to others.
  static std::string operation_of(const ReceivedRequest& request);

  Reply answer(const ReceivedRequest& request, IdentityRegister::Time now);

 private:
  IdentityRegister& identities_;
};

}  // namespace everyitem::emulator
