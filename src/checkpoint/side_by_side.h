// Work on many things of which each may be done by itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <list>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/async.h"

namespace everyitem::checkpoint {

/// Awaits `work(item)` for each of `items`, at most `max_at_once` at a time, on the caller's event
/// loop. Begins nothing more after a failure, and throws the first one when all that had begun has
/// ended. Cancelled, it cancels what has begun.
template <typename Item, typename Work>
Awaitable<void> work_side_by_side(const std::vector<Item>& items, std::size_t max_at_once,
                                  const Work& work) {
  const auto executor = co_await asio::this_coro::executor;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  std::size_t next = 0;
  std::exception_ptr failure;
  std::list<asio::cancellation_signal> stop;
  std::size_t running = 0;
  Event ended(executor);
  const auto worker = [&]() -> Awaitable<void> {
    while (next < items.size() && !failure) {
      co_await work(items[next++]);
    }
  };
  for (const std::size_t workers = std::min(max_at_once, items.size()); running < workers;) {
    ++running;
    auto on_end = [&](const std::exception_ptr& failed) {
      if (failed && !failure) {
        failure = failed;
      }
      --running;
      ended.notify_all();
    };
    asio::co_spawn(executor, worker(),
                   asio::bind_cancellation_slot(stop.emplace_back().slot(), std::move(on_end)));
  }
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  bool stopped = false;
  while (running > 0) {  // NOLINT(bugprone-infinite-loop): what ends counts it down
    if (cancellation.cancelled() != asio::cancellation_type::none &&
        !std::exchange(stopped, true)) {
      for (asio::cancellation_signal& one : stop) {
        one.emit(asio::cancellation_type::terminal);
      }
    }
    co_await ended.wait();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace everyitem::checkpoint
