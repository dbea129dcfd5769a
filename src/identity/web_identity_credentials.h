// A role that a token stands for, which another has written into a file: Kubernetes does for the
// service accounts of EKS.
#pragma once

#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

/// Empty: not given.
struct WebIdentity {
  std::string token_file;
  std::string role_arn;
  std::string session_name;
  std::string named_by;  ///< for messages: "the environment", "profile \"b\""
};

/// Of AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME.
WebIdentity web_identity_of(const Environment& environment);
/// Of the profile's web_identity_token_file, role_arn and role_session_name.
WebIdentity web_identity_of(const Profile& profile);

class WebIdentityCredentials final : public aws::CredentialsProvider {
 public:
  WebIdentityCredentials(Connector& connector, WebIdentity identity);

  /// Reads the file and asks STS each time. Nothing where no token file is named; throws Error
  /// where there is no role to it, or the file cannot be read or is empty.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  WebIdentity identity_;
};

}  // namespace everyitem::identity
