// The sources of credentials, in order: the first that has some is used.
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

  /// Asks the providers in order until one has credentials, and from then on only that one, so that
  /// the caller's identity does not change in the middle of a run. Never returns nothing: throws a
  /// usage error that lists all sources if none has any. Throws what a provider throws, without
  /// asking the ones after it.
  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override;
  std::string place() const override;

 private:
  std::vector<std::unique_ptr<aws::CredentialsProvider>> providers_;
  aws::CredentialsProvider* chosen_ = nullptr;
};

/// The sources AWS tools use, in their order. `profile_flag` is the value of --profile, empty if
/// not given. To add a kind of provider, add a line to the function's body. The connector must
/// outlive the chain.
std::unique_ptr<CredentialsChain> make_credentials_chain(const std::string& profile_flag,
                                                         Connector& connector);

}  // namespace everyitem::identity
