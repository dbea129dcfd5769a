// The credentials of a run, for the clients of one of its event loops.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "aws/credentials.h"
#include "base/clock.h"

namespace everyitem::identity {

/// Keeps what the one who finds them has found, and asks again when that was refused. Used from one
/// event loop; those of other loops ask the same one, who looks again once for all. Credentials
/// that expire are asked for again from time to time, as the finder may have renewed them.
class SharedCredentials final : public aws::CredentialsProvider {
 public:
  /// `finder` is used on the loop of `home`, and outlives this.
  /// So does the clock.
  SharedCredentials(asio::any_io_executor home, aws::CredentialsProvider& finder, Clock& clock)
      : home_(std::move(home)), finder_(finder), clock_(clock), place_(finder.place()) {}

  Awaitable<std::optional<aws::Credentials>> find() override;
  void invalidate() override { refused_ = std::exchange(held_, std::nullopt); }
  std::string place() const override { return place_; }

 private:
  Awaitable<std::optional<aws::Credentials>> find_at_home(std::optional<aws::Credentials> refused);

  asio::any_io_executor home_;
  aws::CredentialsProvider& finder_;
  Clock& clock_;
  std::string place_;
  std::chrono::steady_clock::time_point ask_again_ = std::chrono::steady_clock::time_point::max();
  std::optional<aws::Credentials> held_;
  std::optional<aws::Credentials> refused_;
};

}  // namespace everyitem::identity
