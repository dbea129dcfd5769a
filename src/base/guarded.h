// A value shared by several threads.
#pragma once

#include <mutex>
#include <utility>

namespace everyitem {

/// Locks the value for the duration of each use. Meant for values that are used once per page or
/// batch, so that there is no contention.
template <typename Value>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(Value value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  /// Calls `use` with the value and returns its result. `use` must not block.
  template <typename Use>
  auto with(Use&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

  /// A copy of the current value.
  Value get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  Value value_{};
};

}  // namespace everyitem
