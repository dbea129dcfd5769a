// Credentials that a program of the user's writes: the setting credential_process.
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

/// The words of a command as a POSIX shell splits them, with quotes and backslashes, and without
/// expanding anything. Nothing when a quote is not closed or the last backslash escapes nothing.
std::optional<std::vector<std::string>> split_command(std::string_view command);

class ProcessCredentials final : public aws::CredentialsProvider {
 public:
  /// A program that asks somebody who has gone away is not waited for longer than this.
  static constexpr std::chrono::seconds kLimit{60};

  /// `connector` outlives it.
  ProcessCredentials(Connector& connector, Profile profile,
                     std::chrono::milliseconds limit = kLimit);

  /// Runs the program, without a shell, with the process's own environment, and reads what it
  /// writes; its standard error is the user's. It is killed when it takes longer than the limit and
  /// when the coroutine is cancelled. Throws Error, which never holds what the program wrote.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  Profile profile_;
  std::chrono::milliseconds limit_;
};

}  // namespace everyitem::identity
