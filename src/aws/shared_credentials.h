// The credentials of a run, for the clients of one of its event loops.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "aws/credentials.h"

namespace everyitem::aws {

/// Keeps what the one who finds them has found, and asks again when that was refused. Used from one
/// event loop; those of other loops ask the same one, who looks again once for all.
class SharedCredentials final : public CredentialsProvider {
 public:
  /// `finder` is used on the loop of `home`, and outlives this.
  SharedCredentials(asio::any_io_executor home, CredentialsProvider& finder)
      : home_(std::move(home)), finder_(finder), place_(finder.place()) {}

  Awaitable<std::optional<Credentials>> find() override;
  void invalidate() override { refused_ = std::exchange(held_, std::nullopt); }
  std::string place() const override { return place_; }

 private:
  Awaitable<std::optional<Credentials>> find_at_home(std::optional<Credentials> refused);

  asio::any_io_executor home_;
  CredentialsProvider& finder_;
  std::string place_;
  std::optional<Credentials> held_;
  std::optional<Credentials> refused_;
};

}  // namespace everyitem::aws
