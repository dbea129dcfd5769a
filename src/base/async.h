// The coroutine type of the whole program, and the one way in which a coroutine waits for another.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace everyitem {

namespace asio = boost::asio;

/// A coroutine on the event loop that it was spawned on. It starts when awaited.
template <typename T>
using Awaitable = asio::awaitable<T>;

/// Wakes coroutines that wait on it. A waiter wakes without a promise: it looks again at the
/// condition that it waits for. All users live on one event loop; the event must outlive waiters.
class Event {
 public:
  explicit Event(const asio::any_io_executor& executor)
      : timer_(executor, asio::steady_timer::time_point::max()) {}

  void notify_all() { timer_.cancel(); }
  /// Wakes the one that has waited longest.
  void notify_one() { timer_.cancel_one(); }

  Awaitable<void> wait() { co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable)); }

 private:
  asio::steady_timer timer_;
};

}  // namespace everyitem
