// Credentials of the role attached to an EC2 instance.
#pragma once

#include <optional>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

class MetadataCredentials final : public aws::CredentialsProvider {
 public:
  /// `connector` must outlive this object.
  explicit MetadataCredentials(Connector& connector) : connector_(connector) {}

  /// Asks instance metadata for the role and its credentials. Finding none is not an error, because
  /// the machine may not be an EC2 instance; `place` says why. Credentials that have expired are
  /// used for some more minutes, with a notice: the metadata service returns them when it cannot
  /// renew them, and AWS services accept them in that case. Throws what resolve_metadata_settings
  /// throws.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  /// Throws MetadataUnavailable.
  Awaitable<aws::Credentials> ask();

  Connector& connector_;
  std::string finding_;  ///< why there were none
};

}  // namespace everyitem::identity
