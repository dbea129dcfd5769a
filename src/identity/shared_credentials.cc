#include "identity/shared_credentials.h"

#include "base/on_loop.h"

namespace everyitem::identity {

namespace {
/// Often enough for those that live for a minute, and no burden.
constexpr std::chrono::seconds kAskAgainAfter{1};
}  // namespace

Awaitable<std::optional<aws::Credentials>> SharedCredentials::find() {
  if (!held_ || (held_->expires_at && clock_.now() >= ask_again_)) {
    // Others who call meanwhile go on with what is held.
    ask_again_ = clock_.now() + kAskAgainAfter;
    held_ = co_await on_loop(home_, find_at_home(std::exchange(refused_, std::nullopt)));
  }
  co_return held_;
}

Awaitable<std::optional<aws::Credentials>> SharedCredentials::find_at_home(
    std::optional<aws::Credentials> refused) {
  std::optional<aws::Credentials> found = co_await finder_.find();
  if (refused && found == refused) {
    // Another loop has not had them renewed yet.
    finder_.invalidate();
    found = co_await finder_.find();
  }
  co_return found;
}

}  // namespace everyitem::identity
