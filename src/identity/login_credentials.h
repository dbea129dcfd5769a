// Credentials of an `aws login` session: the user's own, for 15 minutes at a time.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "aws/credentials.h"
#include "identity/connector.h"
#include "identity/profile.h"

namespace everyitem::identity {

class LoginCredentials final : public aws::CredentialsProvider {
 public:
  /// The profile has a `login_session`. `connector` must outlive this object.
  LoginCredentials(Connector& connector, Profile profile)
      : connector_(connector), profile_(std::move(profile)) {}

  /// From AWS_LOGIN_CACHE_DIRECTORY or ~/.aws/login/cache, like botocore; refreshed in the last 5
  /// minutes of their life, and saved for other programs. Throws an Error that says how to log in.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  Profile profile_;
};

}  // namespace everyitem::identity
