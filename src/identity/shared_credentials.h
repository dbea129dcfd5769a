// The credentials of a run, for the clients on one of its event loops.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "aws/credentials.h"
#include "base/clock.h"

namespace everyitem::identity {

/// Keeps a copy of the credentials the finder has found, and asks it again if they were rejected.
/// Used from one event loop. Objects of other loops ask the same finder, which looks for new ones
/// only once for all. Credentials that expire are requested again from time to time, because the
/// finder may have renewed them.
class SharedCredentials final : public aws::CredentialsProvider {
 public:
  /// `finder` is used on the loop `home`. It and the clock must outlive this object.
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
