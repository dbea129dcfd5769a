// How whoever looks for credentials reaches the places that have some.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/client.h"
#include "base/async.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/message.h"
#include "http/client.h"
#include "http/endpoint.h"
#include "identity/profile.h"
#include "identity/service_connection.h"

namespace everyitem::identity {

/// What finding an identity takes from outside. The clock and the source of random numbers outlive
/// it.
struct Surroundings {
  Environment environment;
  Clock& clock;
  Random& random;  ///< of pauses before calls are repeated, and of session names
  http::Timeouts timeouts = {};
  bool insecure_http = false;  ///< plain HTTP may leave this machine
  /// One line, without a secret.
  Notice notice = [](const Message&) {};
  /// What the user answers; nothing where nobody can be asked. Blocks.
  std::function<std::optional<std::string>(std::string_view question)> ask = [](std::string_view) {
    return std::nullopt;
  };
};

/// How often what finds an identity is asked: soon enough told to who waits for a run to begin.
inline constexpr aws::RetryLimits kIdentityLimits{
    .attempts = 4, .elapsed = std::chrono::seconds(0), .throttled = std::chrono::minutes(1)};

/// Used from one event loop. Opens each connection anew: what passes through one is secret, and
/// nobody asks often.
class Connector {
 public:
  /// Gives notice of a secret key that others can read.
  Connector(Profile profile, Surroundings surroundings);

  const Profile& profile() const { return profile_; }
  const Environment& environment() const { return surroundings_.environment; }
  Clock& clock() const { return surroundings_.clock; }
  const Surroundings& surroundings() const { return surroundings_; }

  /// resolve_service, for this profile and environment.
  ServiceSettings resolve(const aws::ServiceModel& model, const ServiceFlags& flags) const;
  /// What a client of that endpoint trusts: null for one without TLS. Loaded once. Throws what
  /// TlsSettings throws.
  std::shared_ptr<const http::TlsSettings> tls_for(const http::Endpoint& endpoint);

  /// An AWS service, in `region`, where environment and profile say that it is: resolve_service.
  /// `credentials` may be null for calls that are not signed. Throws what resolve_service and
  /// TlsSettings throw.
  std::unique_ptr<ServiceConnection> service(const asio::any_io_executor& executor,
                                             const aws::ServiceModel& model,
                                             const std::string& region,
                                             aws::CredentialsProvider* credentials);
  /// Exactly there, unsigned, without a proxy: the endpoints of containers and machines.
  std::unique_ptr<ServiceConnection> place(const asio::any_io_executor& executor,
                                           const aws::ServiceModel& model,
                                           const http::Endpoint& endpoint, http::Timeouts timeouts);

 private:
  std::unique_ptr<ServiceConnection> connect(const asio::any_io_executor& executor,
                                             const aws::ServiceModel& model,
                                             const ServiceSettings& settings,
                                             http::Timeouts timeouts,
                                             aws::CredentialsProvider* credentials);

  Profile profile_;
  Surroundings surroundings_;
  std::shared_ptr<const http::TlsSettings> tls_;  ///< once one is needed
};

}  // namespace everyitem::identity
