// Credentials that are renewed before they expire, once for everyone who is waiting.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

/// Keeps the credentials a provider found. Some minutes before they expire, the provider is asked
/// again while the current ones stay in use. If that fails, they are used until they expire, and
/// the user gets a notice. Used from one event loop, by any number of callers at once.
class RefreshingCredentials final : public aws::CredentialsProvider {
 public:
  /// `connector` is the one the provider uses; it is kept alive while the provider is at work.
  RefreshingCredentials(std::shared_ptr<Connector> connector,
                        std::unique_ptr<aws::CredentialsProvider> provider);
  ~RefreshingCredentials() override;

  /// Throws what the provider throws, if there are no usable credentials left.
  Awaitable<std::optional<aws::Credentials>> find() override;
  /// The next `find` asks the provider and waits for it.
  void invalidate() override;
  std::string place() const override;

  /// Ends background work, so that the event loop can finish.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace everyitem::identity
