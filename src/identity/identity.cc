#include "identity/identity.h"

#include <utility>

#include "base/error.h"
#include "identity/assume_role_credentials.h"
#include "identity/credentials_chain.h"
#include "identity/instance_metadata.h"
#include "identity/refreshing_credentials.h"

namespace everyitem::identity {

Identity::Identity(const IdentityFlags& flags, Context context) : flags_(flags) {
  if (flags.role_arn.empty() && !flags.external_id.empty()) {
    throw usage_error(setting::kExternalId + " needs " + setting::kRoleArn);
  }
  context.insecure_http = flags.insecure_http;
  Profile profile = load_profile(flags.profile, context.environment);
  check_retry_settings(profile, context.environment);
  connector_ = std::make_shared<Connector>(std::move(profile), std::move(context));
  std::unique_ptr<aws::CredentialsProvider> provider =
      make_credentials_chain(flags.profile, *connector_);
  if (!flags.role_arn.empty()) {
    Role role;
    role.arn = flags.role_arn;
    role.external_id = flags.external_id;
    provider = std::make_unique<AssumeRoleCredentials>(*connector_, role, std::move(provider));
  }
  credentials_ = std::make_unique<RefreshingCredentials>(connector_, std::move(provider));
}

Identity::~Identity() = default;

aws::CredentialsProvider& Identity::credentials() { return *credentials_; }

ServiceFlags Identity::service_flags(const std::string& arn_region,
                                     const std::string& arn_account) const {
  ServiceFlags flags;
  flags.region = flags_.region;
  flags.arn_region = arn_region;
  flags.arn_account = arn_account;
  flags.endpoint_url = flags_.endpoint_url;
  flags.insecure_http = flags_.insecure_http;
  return flags;
}

Awaitable<void> Identity::find_region(const ServiceFlags& flags) {
  if (!metadata_region_.empty() ||
      !configured_region(flags, profile(), connector_->environment()).empty()) {
    co_return;
  }
  const std::optional<std::string> found = co_await region_from_metadata(*connector_);
  metadata_region_ = found.value_or(std::string());
}

ServiceFlags Identity::with_findings(ServiceFlags flags) const {
  if (flags.region.empty() && flags.arn_region.empty() && !metadata_region_.empty()) {
    flags.fallback_region = metadata_region_;
  }
  flags.account_id = account_id_.value_or(std::string());
  return flags;
}

Awaitable<void> Identity::find_account(const aws::ServiceModel& model, const ServiceFlags& flags) {
  if (!account_id_ &&
      depends_on_account(model, with_findings(flags), profile(), connector_->environment())) {
    const std::optional<aws::Credentials> found = co_await credentials_->find();
    account_id_ = found ? found->account_id : std::string();
  }
}

IdentifiedService Identity::service(const aws::ServiceModel& model, const ServiceFlags& flags) {
  IdentifiedService service;
  service.settings = connector_->resolve(model, with_findings(flags));
  service.tls = connector_->tls_for(service.settings.endpoint);
  service.credentials = credentials_.get();
  return service;
}

void Identity::stop() { credentials_->stop(); }

}  // namespace everyitem::identity
