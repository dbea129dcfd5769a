// For tests of providers.
#pragma once

#include <optional>

#include "aws/credentials.h"
#include "base/run_to_end.h"

namespace everyitem::identity {

/// Runs the look-up to its end and returns its result; throws what it throws.
inline std::optional<aws::Credentials> find_credentials(aws::CredentialsProvider& provider) {
  return run_to_end(provider.find());
}

}  // namespace everyitem::identity
