#include "identity/connector.h"

#include <utility>

#include <fmt/format.h>

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
    : profile_(std::move(profile)), surroundings_(std::move(surroundings)) {
  if (!profile_.exposed_file.empty()) {
    surroundings_.notice(
        fmt::format("{} holds a secret key, and every user of this machine can "
                    "read it: run chmod 600 {}",
                    profile_.exposed_file, profile_.exposed_file));
  }
}

ServiceSettings Connector::resolve(const aws::ServiceModel& model,
                                   const ServiceFlags& flags) const {
  return resolve_service(model.signing_name, flags, profile_, surroundings_.environment,
                         model.settings_name);
}

std::unique_ptr<ServiceConnection> Connector::service(const asio::any_io_executor& executor,
                                                      const aws::ServiceModel& model,
                                                      const std::string& region,
                                                      aws::CredentialsProvider* credentials) {
  ServiceFlags flags;
  flags.region = region;
  flags.insecure_http = surroundings_.insecure_http;
  return connect(executor, model, resolve(model, flags), surroundings_.timeouts, credentials);
}

std::unique_ptr<ServiceConnection> Connector::place(const asio::any_io_executor& executor,
                                                    const aws::ServiceModel& model,
                                                    const http::Endpoint& endpoint,
                                                    http::Timeouts timeouts) {
  return connect(executor, model, {.region = {}, .endpoint = endpoint}, timeouts, nullptr);
}

std::unique_ptr<ServiceConnection> Connector::connect(const asio::any_io_executor& executor,
                                                      const aws::ServiceModel& model,
                                                      const ServiceSettings& settings,
                                                      http::Timeouts timeouts,
                                                      aws::CredentialsProvider* credentials) {
  const aws::ClientContext context{
      .credentials = credentials != nullptr ? *credentials : no_credentials(),
      .clock = surroundings_.clock,
      .random = surroundings_.random};
  return std::make_unique<ServiceConnection>(executor, model, settings, timeouts,
                                             tls_for(settings.endpoint), context);
}

std::shared_ptr<const http::TlsSettings> Connector::tls_for(const http::Endpoint& endpoint) {
  if (!endpoint.tls) {
    return nullptr;
  }
  if (!tls_) {
    tls_ =
        std::make_shared<http::TlsSettings>(resolve_ca_bundle(profile_, surroundings_.environment));
  }
  return tls_;
}

}  // namespace everyitem::identity
