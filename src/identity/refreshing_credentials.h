// Credentials that are renewed before they expire, once for all who wait for them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aws/credentials.h"
#include "identity/connector.h"

namespace everyitem::identity {

/// Keeps what a provider found. Some minutes before it expires the provider is asked again, while
/// those that are there go on being used; where it fails, they are used for as long as they live,
/// and the user is told. Used from one event loop, by any number at once.
class RefreshingCredentials final : public aws::CredentialsProvider {
 public:
  /// `connector` is what the provider uses, and is kept for as long as it is at work.
  RefreshingCredentials(std::shared_ptr<Connector> connector,
                        std::unique_ptr<aws::CredentialsProvider> provider);
  ~RefreshingCredentials() override;

  /// Throws what the provider throws, once there is nothing left to use.
  Awaitable<std::optional<aws::Credentials>> find() override;
  /// The next `find` has the provider asked, and waits for it.
  void invalidate() override;
  std::string place() const override;

  /// Ends what is under way in the background, so that an event loop can come to its end.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace everyitem::identity
