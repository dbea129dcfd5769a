// Credentials from the environment variables that all AWS tools read.
#pragma once

#include "aws/credentials.h"
#include "base/environment.h"

namespace everyitem::identity {

class EnvironmentCredentials final : public aws::CredentialsProvider {
 public:
  explicit EnvironmentCredentials(Environment environment);

  /// Throws a usage error that names the missing variable if only one of the two is set.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Environment environment_;
};

}  // namespace everyitem::identity
