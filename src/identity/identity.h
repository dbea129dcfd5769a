// One identity: whose credentials sign, and from whose settings services are found.
#pragma once

#include <memory>
#include <string>

#include "aws/client.h"
#include "aws/credentials.h"
#include "base/async.h"
#include "identity/connector.h"
#include "identity/service_settings.h"

namespace everyitem::identity {

class RefreshingCredentials;

/// As the user asked for it. Empty: not given.
struct IdentityFlags {
  std::string profile;
  std::string role_arn;  ///< assumed with whatever credentials were found
  std::string region;
  std::string endpoint_url;
  bool insecure_http = false;  ///< plain HTTP may leave this machine
};

/// How one service is called by an identity. The provider is the identity's.
struct IdentifiedService {
  ServiceSettings settings;
  std::shared_ptr<const http::TlsSettings> tls;  ///< null where the endpoint does not want it
  aws::CredentialsProvider* credentials = nullptr;
};

/// Used from one event loop; it outlives what uses its credentials.
class Identity {
 public:
  /// Reads the shared files; connects to nothing. Throws what load_profile throws.
  Identity(const IdentityFlags& flags, Surroundings surroundings);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const Profile& profile() const { return connector_->profile(); }
  Connector& connector() { return *connector_; }
  /// Renewed before they expire.
  aws::CredentialsProvider& credentials();

  /// For a service that has what an ARN of `arn_region` names; empty where there is no ARN.
  ServiceFlags service_flags(const std::string& arn_region) const;
  /// Asks the machine's metadata for a region where neither flag, ARN, environment nor profile
  /// gives one, and remembers the answer for `service`.
  Awaitable<void> find_region(const ServiceFlags& flags);
  /// Throws what resolve_service throws.
  IdentifiedService service(const aws::ServiceModel& model, ServiceFlags flags);

  /// Ends what is under way in the background: call it last.
  void stop();

 private:
  IdentityFlags flags_;
  std::shared_ptr<Connector> connector_;
  std::unique_ptr<RefreshingCredentials> credentials_;
  std::string metadata_region_;
};

}  // namespace everyitem::identity
