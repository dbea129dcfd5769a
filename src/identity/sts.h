// Requests to the Security Token Service: temporary credentials for a role, and who the caller is.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "aws/client.h"
#include "aws/credentials.h"
#include "base/async.h"

namespace everyitem::identity {

/// The parameters of AssumeRole and AssumeRoleWithWebIdentity. Empty means not given.
struct RoleRequest {
  std::string role_arn;
  std::string session_name;
  std::optional<std::chrono::seconds> duration = {};  ///< default: STS's own, one hour
  std::string external_id = {};                       ///< AssumeRole
  std::string mfa_serial = {};                        ///< AssumeRole
  aws::SecretText mfa_code = {};                      ///< AssumeRole: one-time code of the device
  aws::SecretText web_identity_token = {};            ///< AssumeRoleWithWebIdentity
};

/// Temporary credentials for the role. With a web identity token it calls
/// AssumeRoleWithWebIdentity, which is not signed, otherwise AssumeRole, signed with the client's
/// credentials. Throws Error with the code and message of STS.
Awaitable<aws::Credentials> assume_role(aws::Client& sts, const RoleRequest& request);

struct Caller {
  std::string account;
  std::string arn;
  std::string user_id;
};

/// The identity that the client's credentials belong to. Needs no permissions. `patience`: as in
/// aws::Call.
Awaitable<Caller> caller_identity(aws::Client& sts, std::optional<aws::Patience> patience = {});

}  // namespace everyitem::identity
