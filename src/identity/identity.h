// An identity: the credentials that sign requests, and the settings that say where services are.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aws/client.h"
#include "aws/credentials.h"
#include "base/async.h"
#include "identity/connector.h"
#include "identity/service_settings.h"

namespace everyitem::identity {

class RefreshingCredentials;

/// What the user asked for. Empty means not given.
struct IdentityFlags {
  std::string profile;
  std::string role_arn;     ///< assumed with the credentials that were found
  std::string external_id;  ///< required by that role
  std::string region;
  std::string endpoint_url;
  bool insecure_http = false;  ///< allow plain HTTP to other machines
};

/// How an identity calls one service. The identity owns the provider.
struct IdentifiedService {
  ServiceSettings settings;
  std::shared_ptr<const http::TlsSettings> tls;  ///< null if the endpoint does not use TLS
  aws::CredentialsProvider* credentials = nullptr;
};

/// Used from one event loop. Must outlive everything that uses its credentials.
class Identity {
 public:
  /// Reads the shared files but does not connect to anything. Throws what load_profile throws.
  Identity(const IdentityFlags& flags, Context context);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const Profile& profile() const { return connector_->profile(); }
  Connector& connector() { return *connector_; }
  /// Renewed before they expire.
  aws::CredentialsProvider& credentials();

  /// Flags for a service whose resource has an ARN in this region and account; empty without an
  /// ARN.
  ServiceFlags service_flags(const std::string& arn_region,
                             const std::string& arn_account = {}) const;
  /// If no flag, ARN, environment variable or profile gives a region, asks instance metadata for
  /// one and remembers it for `service`.
  Awaitable<void> find_region(const ServiceFlags& flags);
  /// If the endpoint of the service depends on whose the credentials are, finds them and remembers
  /// that for `service`. Throws what looking for credentials throws.
  Awaitable<void> find_account(const aws::ServiceModel& model, const ServiceFlags& flags);
  /// Throws what resolve_service throws.
  IdentifiedService service(const aws::ServiceModel& model, const ServiceFlags& flags);

  /// Ends background work. Call it last.
  void stop();

 private:
  ServiceFlags with_findings(ServiceFlags flags) const;

  IdentityFlags flags_;
  std::shared_ptr<Connector> connector_;
  std::unique_ptr<RefreshingCredentials> credentials_;
  std::string metadata_region_;
  std::optional<std::string> account_id_;  ///< of the credentials, once they were found
};

}  // namespace everyitem::identity
