// Coroutines that run concurrently and are awaited together.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>

#include <boost/asio/cancellation_signal.hpp>

#include "base/async.h"

namespace everyitem::pipeline {

/// One event loop. Leaves nothing in the background: `wait` must be awaited before destroying it.
class TaskGroup {
 public:
  explicit TaskGroup(const asio::any_io_executor& executor)
      : executor_(executor), ended_(executor) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `task`, which can be cancelled through `cancellation`. Exceptions are passed to
  /// `on_failure`, except for cancellation, which counts as a normal end.
  void spawn(Awaitable<void> task, asio::cancellation_slot cancellation,
             std::function<void(std::exception_ptr)> on_failure);

  /// Returns when all tasks have ended.
  Awaitable<void> wait();

 private:
  asio::any_io_executor executor_;
  Event ended_;
  std::size_t running_ = 0;
};

}  // namespace everyitem::pipeline
