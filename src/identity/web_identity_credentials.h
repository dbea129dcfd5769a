// A role that is assumed with a token from a file. Kubernetes writes such files for EKS service
// accounts.
#pragma once

#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

/// Empty means not given.
struct WebIdentity {
  std::string token_file;
  std::string role_arn;
  std::string session_name;
  std::string named_by;  ///< for messages: "the environment", "profile \"b\""
};

/// From AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME.
WebIdentity web_identity_of(const Environment& environment);
/// From the profile's web_identity_token_file, role_arn and role_session_name.
WebIdentity web_identity_of(const Profile& profile);

class WebIdentityCredentials final : public aws::CredentialsProvider {
 public:
  WebIdentityCredentials(Connector& connector, WebIdentity identity);

  /// Reads the file and asks STS each time. Nothing if no token file is configured. Throws Error if
  /// there is no role for it, or if the file is empty or cannot be read.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  WebIdentity identity_;
};

}  // namespace everyitem::identity
