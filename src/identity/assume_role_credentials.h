// A role that another identity assumes.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

/// Which role to assume, and how. Empty means not given.
struct Role {
  std::string arn;
  std::string session_name = {};  ///< default: a name that contains the time
  std::string external_id = {};
  std::string mfa_serial = {};  ///< the device whose code is asked for
  std::optional<std::chrono::seconds> duration = {};
  std::string named_by = {};  ///< for messages: "profile \"b\""; empty: a setting of the run
};

class AssumeRoleCredentials final : public aws::CredentialsProvider {
 public:
  /// `source` provides the credentials that assume the role. The connector must outlive this
  /// object.
  AssumeRoleCredentials(Connector& connector, Role role,
                        std::unique_ptr<aws::CredentialsProvider> source);

  /// Asks the source and then STS, each time. Never returns nothing: throws Error if the source has
  /// no credentials. The user is asked for a code of `mfa_serial` once; later calls throw instead,
  /// because nobody may be there to answer.
  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override { source_->invalidate(); }
  std::string place() const override;

 private:
  aws::SecretText ask_for_code();

  Connector& connector_;
  Role role_;
  std::unique_ptr<aws::CredentialsProvider> source_;
  bool asked_ = false;
};

/// `given`, or a generated session name: STS requires one, and it shows up in CloudTrail events.
std::string session_name_or(const std::string& given, Clock& clock);

}  // namespace everyitem::identity
