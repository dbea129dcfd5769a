#include "identity/connector.h"

#include <utility>

#include <fmt/format.h>

#include "identity/service_settings.h"

namespace everyitem::identity {

namespace {

/// For clients whose calls are not signed.
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

Connector::Connector(Profile profile, Context context)
    : profile_(std::move(profile)), context_(std::move(context)) {
  for (const std::string& unread : profile_.unread_files) {
    context_.notice(fmt::format("cannot read {}; continuing without it", unread));
  }
  if (!profile_.exposed_file.empty()) {
    context_.notice(
        fmt::format("{} holds a secret key that every user of this machine can "
                    "read; run chmod 600 {}",
                    profile_.exposed_file, profile_.exposed_file));
  }
}

ServiceSettings Connector::resolve(const aws::ServiceModel& model,
                                   const ServiceFlags& flags) const {
  return resolve_service(model, flags, profile_, context_.environment);
}

std::unique_ptr<ServiceConnection> Connector::service(const asio::any_io_executor& executor,
                                                      const aws::ServiceModel& model,
                                                      const std::string& region,
                                                      aws::CredentialsProvider* credentials) {
  ServiceFlags flags;
  flags.region = region;
  flags.insecure_http = context_.insecure_http;
  return connect(executor, model, resolve(model, flags), context_.timeouts, credentials);
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
      .clock = context_.clock,
      .random = context_.random,
      .patience = context_.patience,
      .notice = context_.notice};
  return std::make_unique<ServiceConnection>(executor, model, settings, timeouts,
                                             tls_for(settings.endpoint), context);
}

std::shared_ptr<const http::TlsSettings> Connector::tls_for(const http::Endpoint& endpoint) {
  if (!endpoint.tls) {
    return nullptr;
  }
  if (!tls_) {
    tls_ = std::make_shared<http::TlsSettings>(resolve_ca_bundle(profile_, context_.environment));
  }
  return tls_;
}

}  // namespace everyitem::identity
