// Credentials of a container's role: Amazon ECS, EKS Pod Identity, and compatible endpoints.
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
  /// The endpoint that AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is relative to: the Amazon ECS agent.
  static http::Endpoint agent_endpoint();

  /// `connector` must outlive this object.
  explicit ContainerCredentials(Connector& connector, http::Endpoint agent = agent_endpoint());

  /// Asks the endpoint named by the environment, with the token named there. Throws Error if there
  /// is an endpoint but it returns no usable credentials, because whoever set it up relies on it.
  /// Throws a usage error for an endpoint that secrets must not be sent to, and for a token that
  /// cannot be sent.
  Awaitable<std::optional<aws::Credentials>> find() override;
  std::string place() const override;

 private:
  Connector& connector_;
  http::Endpoint agent_;
};

}  // namespace everyitem::identity
