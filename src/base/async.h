// The coroutine type used everywhere, and the only way for one coroutine to wait for another.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace everyitem {

namespace asio = boost::asio;

/// A coroutine on the event loop it was spawned on. It starts when it is awaited.
template <typename T>
using Awaitable = asio::awaitable<T>;

/// Wakes the coroutines that wait on it. Waking promises nothing: a waiter has to check its
/// condition again. All users run on one event loop, and the event must outlive its waiters.
class Event {
 public:
  explicit Event(const asio::any_io_executor& executor)
      : timer_(executor, asio::steady_timer::time_point::max()) {}

  void notify_all() { timer_.cancel(); }
  /// Wakes the coroutine that has waited longest.
  void notify_one() { timer_.cancel_one(); }

  Awaitable<void> wait() { co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable)); }

 private:
  asio::steady_timer timer_;
};

}  // namespace everyitem
