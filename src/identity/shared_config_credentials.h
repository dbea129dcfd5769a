// Long-lived or session keys that stand in a profile of the shared files.
#pragma once

#include <string>

#include "aws/credentials.h"
#include "base/environment.h"

namespace everyitem::identity {

class SharedConfigCredentials final : public aws::CredentialsProvider {
 public:
  /// `profile_flag`: the value of --profile; empty when not given.
  SharedConfigCredentials(std::string profile_flag, Environment environment);

  /// Reads the files each time. Throws a usage error for half a pair of keys and for a profile
  /// whose credentials come from elsewhere (a role, single sign-on, a program), which is not built
  /// yet; and what load_profile throws.
  Awaitable<std::optional<aws::Credentials>> find() override;
  /// After `find`: the files with what was there.
  std::string place() const override { return place_; }

 private:
  std::string profile_flag_;
  Environment environment_;
  std::string place_ = "the shared config and credentials files";
};

}  // namespace everyitem::identity
