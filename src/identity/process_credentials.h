// Credentials printed by a program of the user: the setting credential_process.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "identity/connector.h"
#include "identity/profile.h"

namespace everyitem::identity {

/// Splits a command into words as a POSIX shell does, with quotes and backslashes but without
/// expanding anything. Returns nothing if a quote is not closed or the last backslash escapes
/// nothing.
std::optional<std::vector<std::string>> split_command(std::string_view command);

class ProcessCredentials final : public aws::CredentialsProvider {
 public:
  /// The maximum time to wait, in case the program prompts a user who is not there.
  static constexpr std::chrono::seconds kLimit{60};

  /// `connector` must outlive this object.
  ProcessCredentials(Connector& connector, Profile profile);

  /// Runs the program without a shell, in the process's environment, and reads its output; its
  /// standard error goes to the user. The program is killed if it exceeds the limit or the
  /// coroutine is cancelled. Throws Error, which never contains the program's output.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  Profile profile_;
};

}  // namespace everyitem::identity
