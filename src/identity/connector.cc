#include "identity/connector.h"

#include <utility>

#include "identity/service_settings.h"

namespace everyitem::identity {

namespace {

/// For clients whose calls nobody signs.
class NoCredentials final : public aws::CredentialsProvider {
 public:
  Awaitable<std::optional<aws::Credentials>> find() override { co_return std::nullopt; }
  std::string place() const override { return "nowhere"; }
};

aws::CredentialsProvider& no_credentials() {
  static NoCredentials nobody;
  return nobody;
}

}  // namespace

Connector::Connector(Profile profile, Surroundings surroundings)
    : profile_(std::move(profile)), surroundings_(std::move(surroundings)) {}

std::unique_ptr<ServiceConnection> Connector::service(const asio::any_io_executor& executor,
                                                      const aws::ServiceModel& model,
                                                      const std::string& region,
                                                      aws::CredentialsProvider* credentials) {
  const ServiceSettings settings =
      resolve_service(model.signing_name,
                      {.region = region,
                       .arn_region = {},
                       .endpoint_url = {},
                       .insecure_http = surroundings_.insecure_http},
                      profile_, surroundings_.environment, model.settings_name);
  return connect(executor, model, settings, surroundings_.timeouts, credentials);
}

std::unique_ptr<ServiceConnection> Connector::place(const asio::any_io_executor& executor,
                                                    const aws::ServiceModel& model,
                                                    const aws::Endpoint& endpoint,
                                                    aws::HttpTimeouts timeouts) {
  return connect(executor, model, {.region = {}, .endpoint = endpoint}, timeouts, nullptr);
}

std::unique_ptr<ServiceConnection> Connector::connect(const asio::any_io_executor& executor,
                                                      const aws::ServiceModel& model,
                                                      const ServiceSettings& settings,
                                                      aws::HttpTimeouts timeouts,
                                                      aws::CredentialsProvider* credentials) {
  const aws::ClientContext context{
      .credentials = credentials != nullptr ? *credentials : no_credentials(),
      .clock = surroundings_.clock,
      .random = surroundings_.random};
  return std::make_unique<ServiceConnection>(executor, model, settings, timeouts,
                                             tls_for(settings.endpoint), context);
}

std::shared_ptr<const aws::TlsSettings> Connector::tls_for(const aws::Endpoint& endpoint) {
  if (endpoint.tls && !tls_) {
    tls_ =
        std::make_shared<aws::TlsSettings>(resolve_ca_bundle(profile_, surroundings_.environment));
  }
  return tls_;
}

}  // namespace everyitem::identity
