// Credentials of the role that is attached to a machine of Amazon EC2.
#pragma once

#include <optional>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

class MetadataCredentials final : public aws::CredentialsProvider {
 public:
  /// `connector` outlives it.
  explicit MetadataCredentials(Connector& connector) : connector_(connector) {}

  /// Asks the machine's metadata for its role and for that role's credentials. Where that gives
  /// none, it is no error, and `place` says why: the machine may be any. Credentials that have
  /// expired are used on for some minutes, with a notice: the service gives such when it cannot
  /// renew them, and services accept them then. Throws what resolve_metadata_settings throws.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  /// Throws MetadataUnavailable.
  Awaitable<aws::Credentials> ask();

  Connector& connector_;
  std::string finding_;  ///< why there were none
};

}  // namespace everyitem::identity
