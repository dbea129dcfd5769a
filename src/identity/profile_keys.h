// Long-lived or session keys in a profile.
#pragma once

#include "aws/credentials.h"
#include "identity/profile.h"

namespace everyitem::identity {

/// Whether the profile has keys, or half a pair of them.
bool has_keys(const Profile& profile);

class ProfileKeys final : public aws::CredentialsProvider {
 public:
  explicit ProfileKeys(const Profile& profile);

  /// Throws a usage error for half a pair of keys.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override { return profile_.place; }

 private:
  Profile profile_;
};

}  // namespace everyitem::identity
