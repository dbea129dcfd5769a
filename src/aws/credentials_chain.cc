#include "aws/credentials_chain.h"

#include <utility>

#include "aws/environment_credentials.h"
#include "aws/shared_config_credentials.h"
#include "base/error.h"

namespace everyitem::aws {

CredentialsChain::CredentialsChain(std::vector<std::unique_ptr<CredentialsProvider>> providers)
    : providers_(std::move(providers)) {}

Awaitable<std::optional<Credentials>> CredentialsChain::find() {
  if (held_) {
    co_return held_;
  }
  for (const std::unique_ptr<CredentialsProvider>& provider : providers_) {
    if (std::optional<Credentials> found = co_await provider->find()) {
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
  for (const std::unique_ptr<CredentialsProvider>& provider : providers_) {
    provider->invalidate();
  }
}

std::string CredentialsChain::place() const {
  std::string places;
  for (const std::unique_ptr<CredentialsProvider>& provider : providers_) {
    places.append(places.empty() ? "" : "; ").append(provider->place());
  }
  return places;
}

std::unique_ptr<CredentialsChain> make_credentials_chain(const std::string& profile_flag,
                                                         const Environment& environment) {
  std::vector<std::unique_ptr<CredentialsProvider>> providers;
  if (profile_flag.empty()) {  // --profile says which credentials; AWS_PROFILE only a default
    providers.push_back(std::make_unique<EnvironmentCredentials>(environment));
  }
  providers.push_back(std::make_unique<SharedConfigCredentials>(profile_flag, environment));
  return std::make_unique<CredentialsChain>(std::move(providers));
}

}  // namespace everyitem::aws
