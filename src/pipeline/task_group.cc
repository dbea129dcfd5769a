#include "pipeline/task_group.h"

#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>

namespace everyitem::pipeline {

namespace {

bool is_cancellation(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

void TaskGroup::spawn(Awaitable<void> task, asio::cancellation_slot cancellation,
                      std::function<void(std::exception_ptr)> on_failure) {
  ++running_;
  const bool can_be_cancelled = cancellation.is_connected();
  auto on_end = [this, can_be_cancelled,
                 on_failure = std::move(on_failure)](const std::exception_ptr& failure) {
    if (failure && !(can_be_cancelled && is_cancellation(failure))) {
      on_failure(failure);
    }
    --running_;
    ended_.notify_all();
  };
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(cancellation, std::move(on_end)));
}

Awaitable<void> TaskGroup::wait() {
  while (running_ > 0) {
    co_await ended_.wait();
  }
}

}  // namespace everyitem::pipeline
