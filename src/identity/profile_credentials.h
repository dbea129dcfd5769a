// What a profile says of credentials: keys, or where to get some.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

class ProfileCredentials final : public aws::CredentialsProvider {
 public:
  /// `profile_flag`: the value of --profile; empty when not given. The connector outlives this.
  ProfileCredentials(std::string profile_flag, Connector& connector);

  /// Reads the files each time. Throws a usage error for settings that do not fit together, and
  /// what load_profile and the provider that the profile names throw.
  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override;
  /// After `find`: the files with what was there.
  std::string place() const override { return place_; }

 private:
  std::string profile_flag_;
  Connector& connector_;
  Profile profile_;
  std::unique_ptr<aws::CredentialsProvider> provider_;
  std::string place_ = "the shared config and credentials files";
};

}  // namespace everyitem::identity
