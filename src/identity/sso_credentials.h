// Credentials of a role from a single sign-on login (IAM Identity Center).
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
  /// `connector` must outlive this object.
  SsoCredentials(Connector& connector, Profile profile);

  /// Uses the profile's sso_account_id and sso_role_name, and its sso_session or, in the older
  /// form, sso_start_url and sso_region. Nothing if the profile has neither account nor role.
  /// Throws a usage error that names what is missing, an Error that says how to log in, and what
  /// Client::call throws.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  Profile profile_;
};

}  // namespace everyitem::identity
