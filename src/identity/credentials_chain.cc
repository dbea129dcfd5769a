#include "identity/credentials_chain.h"

#include <utility>

#include "base/error.h"
#include "identity/container_credentials.h"
#include "identity/environment_credentials.h"
#include "identity/metadata_credentials.h"
#include "identity/profile_credentials.h"
#include "identity/web_identity_credentials.h"

namespace everyitem::identity {

CredentialsChain::CredentialsChain(std::vector<std::unique_ptr<aws::CredentialsProvider>> providers)
    : providers_(std::move(providers)) {}

Awaitable<std::optional<aws::Credentials>> CredentialsChain::find() {
  if (chosen_ != nullptr) {
    std::optional<aws::Credentials> found = co_await chosen_->find();
    if (!found) {
      throw Error(ErrorKind::failed, {.operation = "renew the credentials",
                                      .object = {},
                                      .code = {},
                                      .message = "there are none any more in " + chosen_->place(),
                                      .hint = {}});
    }
    co_return found;
  }
  for (const std::unique_ptr<aws::CredentialsProvider>& provider : providers_) {
    std::optional<aws::Credentials> found = co_await provider->find();
    if (found) {
      chosen_ = provider.get();
      co_return found;
    }
  }
  throw usage_error("no AWS credentials in: " + place(),
                    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run \"aws configure\" or "
                    "\"aws sso login\", or choose a profile with " +
                        setting::kProfile + ".");
}

void CredentialsChain::invalidate() {
  if (chosen_ != nullptr) {
    chosen_->invalidate();
  }
}

std::string CredentialsChain::place() const {
  if (chosen_ != nullptr) {
    return chosen_->place();
  }
  std::string places;
  for (const std::unique_ptr<aws::CredentialsProvider>& provider : providers_) {
    places.append(places.empty() ? "" : "; ").append(provider->place());
  }
  return places;
}

std::unique_ptr<CredentialsChain> make_credentials_chain(const std::string& profile_flag,
                                                         Connector& connector) {
  std::vector<std::unique_ptr<aws::CredentialsProvider>> providers;
  if (profile_flag
          .empty()) {  // --profile asks for specific credentials; AWS_PROFILE is only a default
    providers.push_back(std::make_unique<EnvironmentCredentials>(connector.environment()));
    providers.push_back(std::make_unique<WebIdentityCredentials>(
        connector, web_identity_of(connector.environment())));
  }
  providers.push_back(std::make_unique<ProfileCredentials>(profile_flag, connector));
  providers.push_back(std::make_unique<ContainerCredentials>(connector));
  providers.push_back(std::make_unique<MetadataCredentials>(connector));
  return std::make_unique<CredentialsChain>(std::move(providers));
}

}  // namespace everyitem::identity
