// The places where credentials are sought, in order: the first that has some is used.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "base/environment.h"

namespace everyitem::identity {

class CredentialsChain final : public aws::CredentialsProvider {
 public:
  explicit CredentialsChain(std::vector<std::unique_ptr<aws::CredentialsProvider>> providers);

  /// Asks the providers in order until one has credentials, and keeps these until `invalidate`.
  /// Never returns nothing: throws a usage error that lists all places when none has any. Throws
  /// what a provider throws; those behind it are not asked then.
  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override;
  std::string place() const override;

 private:
  std::vector<std::unique_ptr<aws::CredentialsProvider>> providers_;
  std::optional<aws::Credentials> held_;
};

/// The places that AWS tools look in, in their order. `profile_flag` is the value of --profile,
/// empty when not given. A new kind of provider is one line in the function's body.
std::unique_ptr<CredentialsChain> make_credentials_chain(const std::string& profile_flag,
                                                         const Environment& environment);

}  // namespace everyitem::identity
