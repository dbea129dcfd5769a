// What Security Token Service is asked: temporary credentials for a role, and who the caller is.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "aws/client.h"
#include "aws/credentials.h"
#include "base/async.h"

namespace everyitem::identity {

/// What AssumeRole and AssumeRoleWithWebIdentity take alike. Empty: not given.
struct RoleRequest {
  std::string role_arn;
  std::string session_name;
  std::optional<std::chrono::seconds> duration = {};  ///< nothing: STS's default, an hour
  std::string external_id = {};                       ///< AssumeRole
  std::string mfa_serial = {};                        ///< AssumeRole
  aws::SecretText mfa_code = {};                      ///< AssumeRole: of the device, once
  aws::SecretText web_identity_token = {};            ///< the other
};

/// Temporary credentials for the role. With a web identity token the call is
/// AssumeRoleWithWebIdentity, which nobody signs; else AssumeRole, signed with the client's
/// credentials. Throws Error with STS's code and words.
Awaitable<aws::Credentials> assume_role(aws::Client& sts, const RoleRequest& request);

struct Caller {
  std::string account;
  std::string arn;
  std::string user_id;
};

/// Whom the client's credentials belong to. Any identity may ask.
Awaitable<Caller> caller_identity(aws::Client& sts);

}  // namespace everyitem::identity
