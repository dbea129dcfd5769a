#include "identity/shared_credentials.h"

#include "base/on_loop.h"

namespace everyitem::identity {

Awaitable<std::optional<aws::Credentials>> SharedCredentials::find() {
  if (!held_) {
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
