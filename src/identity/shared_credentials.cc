#include "identity/shared_credentials.h"

#include <algorithm>

#include "base/on_loop.h"

namespace everyitem::identity {

namespace {

constexpr std::chrono::seconds kAskAgainAtTheLatest{1};

/// A fraction of their remaining lifetime, so that expiring credentials are not kept in use.
std::chrono::nanoseconds until_asked_again(const aws::Credentials& credentials, Clock& clock) {
  constexpr int kPart = 20;
  constexpr std::chrono::milliseconds kLeast{10};
  const std::chrono::nanoseconds left = *credentials.expires_at - clock.wall_now();
  return std::clamp<std::chrono::nanoseconds>(left / kPart, kLeast, kAskAgainAtTheLatest);
}

}  // namespace

Awaitable<std::optional<aws::Credentials>> SharedCredentials::find() {
  if (!held_ || (held_->expires_at && clock_.now() >= ask_again_)) {
    // Other callers meanwhile continue with the current ones.
    ask_again_ = clock_.now() + kAskAgainAtTheLatest;
    held_ = co_await on_loop(home_, find_at_home(std::exchange(refused_, std::nullopt)));
    if (held_ && held_->expires_at) {
      ask_again_ = clock_.now() + until_asked_again(*held_, clock_);
    }
  }
  co_return held_;
}

Awaitable<std::optional<aws::Credentials>> SharedCredentials::find_at_home(
    std::optional<aws::Credentials> refused) {
  std::optional<aws::Credentials> found = co_await finder_.find();
  if (refused && found == refused) {
    // No other loop has had them renewed yet.
    finder_.invalidate();
    found = co_await finder_.find();
  }
  co_return found;
}

}  // namespace everyitem::identity
