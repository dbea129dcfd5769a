// The places where credentials are sought, in order: the first that has some is used.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

class CredentialsChain final : public aws::CredentialsProvider {
 public:
  explicit CredentialsChain(std::vector<std::unique_ptr<aws::CredentialsProvider>> providers);

  /// Asks the providers in order until one has credentials; from then on that one alone, so that
  /// who is calling does not change in the middle. Never returns nothing: throws a usage error that
  /// lists all places when none has any. Throws what a provider throws; those behind it are not
  /// asked then.
  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override;
  std::string place() const override;

 private:
  std::vector<std::unique_ptr<aws::CredentialsProvider>> providers_;
  aws::CredentialsProvider* chosen_ = nullptr;
};

/// The places that AWS tools look in, in their order. `profile_flag` is the value of --profile,
/// empty when not given. A new kind of provider is one line in the function's body. The connector
/// outlives the chain.
std::unique_ptr<CredentialsChain> make_credentials_chain(const std::string& profile_flag,
                                                         Connector& connector);

}  // namespace everyitem::identity
