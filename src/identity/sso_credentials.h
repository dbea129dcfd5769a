// Credentials of a role that a login with single sign-on (IAM Identity Center) gives.
#pragma once

#include <optional>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"
#include "identity/profile.h"
#include "identity/sso_token.h"

namespace everyitem::identity {

class SsoCredentials final : public aws::CredentialsProvider {
 public:
  /// `connector` outlives it.
  SsoCredentials(Connector& connector, Profile profile);

  /// With the profile's sso_account_id and sso_role_name, and its sso_session or, in the older
  /// form, sso_start_url and sso_region; nothing where it has neither account nor role. Throws a
  /// usage error that names what is missing; an Error that says how to log in; what Client::call
  /// throws.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  Profile profile_;
};

}  // namespace everyitem::identity
