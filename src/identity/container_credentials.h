// Credentials of a container's role: Amazon ECS, EKS Pod Identity, and what answers as they do.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
#pragma once

#include <optional>
#include <string>

#include "aws/credentials.h"
#include "http/endpoint.h"
#include "identity/connector.h"

namespace everyitem::identity {

class ContainerCredentials final : public aws::CredentialsProvider {
 public:
  /// Where AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is relative to: the agent of Amazon ECS.
  static http::Endpoint agent_endpoint();

  /// `connector` outlives it.
  explicit ContainerCredentials(Connector& connector, http::Endpoint agent = agent_endpoint());

  /// Asks the place that the environment names, with the token that it names. Throws Error when
  /// there is such a place and it gives no usable credentials: who set it up relies on it. Throws a
  /// usage error for a place that secrets must not go to, and for a token that cannot be sent.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  http::Endpoint agent_;
};

}  // namespace everyitem::identity
