// A value that several threads use.
#pragma once

#include <mutex>
#include <utility>

namespace everyitem {

/// Each use holds a lock of its own, for no longer than that use: meant for what is touched once a
/// page or a batch, where nobody waits for it.
template <typename Value>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(Value value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  /// What `use` returns of the value. It must not wait for anything.
  template <typename Use>
  auto with(Use&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

  /// As it is now.
  Value get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  Value value_{};
};

}  // namespace everyitem
