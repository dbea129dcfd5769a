// How credentials providers reach the services and endpoints they need.
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

/// What finding an identity needs from its environment. The clock and the source of random numbers
/// must outlive it.
struct Context {
  Environment environment;
  Clock& clock;
  Random& random;  ///< for pauses between retries, and session names
  http::Timeouts timeouts = {};
  aws::Patience patience = {};  ///< of every call
  bool insecure_http = false;   ///< allow plain HTTP to other machines
  /// Tells the user something; one line, without secrets.
  Notice notice = [](const Message&) {};
  /// Returns the user's answer, or nothing if nobody can be asked. Blocks.
  std::function<std::optional<std::string>(std::string_view question)> ask = [](std::string_view) {
    return std::nullopt;
  };
};

/// Used from one event loop. Opens a new connection each time, because connections carry secrets
/// and calls are rare.
class Connector {
 public:
  /// Prints a notice if other users can read the profile's secret key, or a file cannot be read.
  Connector(Profile profile, Context context);

  const Profile& profile() const { return profile_; }
  const Environment& environment() const { return context_.environment; }
  Clock& clock() const { return context_.clock; }
  const Context& context() const { return context_; }

  /// Calls resolve_service with this profile and environment.
  ServiceSettings resolve(const aws::ServiceModel& model, const ServiceFlags& flags) const;
  /// What a client of that endpoint trusts; null without TLS. Loaded once. Throws what TlsSettings
  /// throws.
  std::shared_ptr<const http::TlsSettings> tls_for(const http::Endpoint& endpoint);

  /// Connects to an AWS service in `region`, as resolve_service finds it. `credentials` may be null
  /// for unsigned calls. Throws what resolve_service and TlsSettings throw.
  std::unique_ptr<ServiceConnection> service(const asio::any_io_executor& executor,
                                             const aws::ServiceModel& model,
                                             const std::string& region,
                                             aws::CredentialsProvider* credentials);
  /// Connects to exactly this endpoint, unsigned and without a proxy: container and instance
  /// metadata.
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
  Context context_;
  std::shared_ptr<const http::TlsSettings> tls_;  ///< once it is needed
};

}  // namespace everyitem::identity
