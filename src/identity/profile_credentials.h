// Credentials from a profile: keys, or instructions for getting them.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

class ProfileCredentials final : public aws::CredentialsProvider {
 public:
  /// `profile_flag` is the value of --profile, empty if not given. The connector must outlive this
  /// object.
  ProfileCredentials(std::string profile_flag, Connector& connector);

  /// Reads the files each time. Throws a usage error for settings that contradict each other, and
  /// what load_profile and the profile's provider throw.
  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override;
  /// After `find`: the files, and what was found there.
  std::string place() const override { return place_; }

 private:
  std::string profile_flag_;
  Connector& connector_;
  Profile profile_;
  std::unique_ptr<aws::CredentialsProvider> provider_;
  std::string place_ = "the shared config and credentials files";
};

}  // namespace everyitem::identity
