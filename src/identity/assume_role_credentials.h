// A role, which another identity assumes.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

/// Which role, and how. Empty: not given.
struct Role {
  std::string arn;
  std::string session_name = {};  ///< by default one with the time in it
  std::string external_id = {};
  std::string mfa_serial = {};  ///< of the device whose code is asked for
  std::optional<std::chrono::seconds> duration = {};
  std::string named_by = {};  ///< for messages: "profile \"b\""; empty: a setting of the run
};

class AssumeRoleCredentials final : public aws::CredentialsProvider {
 public:
  /// `source` gives the credentials that assume the role. The connector outlives this.
  AssumeRoleCredentials(Connector& connector, Role role,
                        std::unique_ptr<aws::CredentialsProvider> source);

  /// Asks STS each time, and the source first. Never returns nothing: throws Error when the source
  /// has none. The user is asked for a code of `mfa_serial` once; later calls throw instead, as
  /// nobody may be there.
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

/// A name for a session that nobody has named: STS wants one, and its events show it.
std::string session_name_or(const std::string& given, Clock& clock);

}  // namespace everyitem::identity
