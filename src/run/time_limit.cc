#include "run/time_limit.h"

#include <exception>
#include <utility>

#include <boost/asio/cancellation_signal.hpp>

#include "pipeline/task_group.h"

namespace everyitem::run {

Awaitable<bool> ended_within(Clock& clock, std::chrono::nanoseconds limit, Awaitable<void> work) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::cancellation_signal stop_work;
  asio::cancellation_signal stop_timer;
  bool late = false;
  std::exception_ptr failure;
  const auto failed = [&](const std::exception_ptr& thrown) { failure = thrown; };
  const auto ring = [&]() -> Awaitable<void> {
    co_await clock.sleep(limit);
    late = true;
    stop_work.emit(asio::cancellation_type::terminal);
  };
  pipeline::TaskGroup working(executor);
  pipeline::TaskGroup timing(executor);
  working.spawn(std::move(work), stop_work.slot(), failed);
  timing.spawn(ring(), stop_timer.slot(), failed);
  co_await working.wait();
  stop_timer.emit(asio::cancellation_type::terminal);
  co_await timing.wait();
  if (failure) {
    std::rethrow_exception(failure);
  }
  co_return !late;
}

}  // namespace everyitem::run
