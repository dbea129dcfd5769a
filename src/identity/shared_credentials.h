// The credentials of a run, for the clients of one of its event loops.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "aws/credentials.h"

namespace everyitem::identity {

/// Keeps what the one who finds them has found, and asks again when that was refused. Used from one
/// event loop; those of other loops ask the same one, who looks again once for all.
class SharedCredentials final : public aws::CredentialsProvider {
 public:
  /// `finder` is used on the loop of `home`, and outlives this.
  SharedCredentials(asio::any_io_executor home, aws::CredentialsProvider& finder)
      : home_(std::move(home)), finder_(finder), place_(finder.place()) {}

  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override { refused_ = std::exchange(held_, std::nullopt); }
  std::string place() const override { return place_; }

 private:
  Awaitable<std::optional<aws::Credentials>> find_at_home(std::optional<aws::Credentials> refused);

  asio::any_io_executor home_;
  aws::CredentialsProvider& finder_;
  std::string place_;
  std::optional<aws::Credentials> held_;
  std::optional<aws::Credentials> refused_;
};

}  // namespace everyitem::identity
