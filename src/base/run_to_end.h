// For tests: runs a coroutine on an event loop.
#pragma once

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/async.h"

namespace everyitem {

/// Runs the loop until it has no work left, and returns the result of `work`. Rethrows its
/// exception.
template <typename T>
T run_to_end(asio::io_context& loop, Awaitable<T> work) {
  auto result = asio::co_spawn(loop, std::move(work), asio::use_future);
  loop.restart();
  loop.run();
  return result.get();
}

/// The same on a new loop.
template <typename T>
T run_to_end(Awaitable<T> work) {
  asio::io_context loop;
  return run_to_end(loop, std::move(work));
}

}  // namespace everyitem
