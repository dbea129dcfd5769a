#include "identity/credentials_chain.h"

#include <utility>

#include "base/error.h"
#include "identity/environment_credentials.h"
#include "identity/shared_config_credentials.h"

namespace everyitem::identity {

CredentialsChain::CredentialsChain(std::vector<std::unique_ptr<aws::CredentialsProvider>> providers)
    : providers_(std::move(providers)) {}

Awaitable<std::optional<aws::Credentials>> CredentialsChain::find() {
  if (held_) {
    co_return held_;
  }
  for (const std::unique_ptr<aws::CredentialsProvider>& provider : providers_) {
    if (std::optional<aws::Credentials> found = co_await provider->find()) {
      held_ = std::move(found);
      co_return held_;
    }
  }
  throw usage_error("no AWS credentials in: " + place(),
                    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run \"aws configure\", or "
                    "choose a profile with --profile.");
}

void CredentialsChain::invalidate() {
  held_.reset();
  for (const std::unique_ptr<aws::CredentialsProvider>& provider : providers_) {
    provider->invalidate();
  }
}

std::string CredentialsChain::place() const {
  std::string places;
  for (const std::unique_ptr<aws::CredentialsProvider>& provider : providers_) {
    places.append(places.empty() ? "" : "; ").append(provider->place());
  }
  return places;
}

std::unique_ptr<CredentialsChain> make_credentials_chain(const std::string& profile_flag,
                                                         const Environment& environment) {
  std::vector<std::unique_ptr<aws::CredentialsProvider>> providers;
  if (profile_flag.empty()) {  // --profile says which credentials; AWS_PROFILE only a default
    providers.push_back(std::make_unique<EnvironmentCredentials>(environment));
  }
  providers.push_back(std::make_unique<SharedConfigCredentials>(profile_flag, environment));
  return std::make_unique<CredentialsChain>(std::move(providers));
}

}  // namespace everyitem::identity
