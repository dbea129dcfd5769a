// Runs work of a coroutine on another event loop.
#pragma once

#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "base/async.h"

namespace everyitem {

namespace detail {

template <typename T>
struct Completion {
  using Signature = void(std::exception_ptr, T);
};
template <>
struct Completion<void> {
  using Signature = void(std::exception_ptr);
};

/// Starts `work` on `loop` and calls `handler` on `here` with the result. co_spawn alone would be
/// enough, but in Boost 1.81 a cancellation on its way to the other loop has a dangling reference
/// if the work has ended by then.
template <typename T, typename Handler>
void spawn_on(const asio::any_io_executor& loop, const asio::any_io_executor& here,
              Awaitable<T> work, Handler handler) {
  const auto cancellation = std::make_shared<asio::cancellation_signal>();
  if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
    slot.assign([cancellation, loop](asio::cancellation_type type) {
      asio::dispatch(loop, [cancellation, type] { cancellation->emit(type); });
    });
  }
  auto on_end = [cancellation, waits = asio::make_work_guard(here),
                 handler = std::move(handler)](auto... result) mutable {
    asio::dispatch(waits.get_executor(),
                   [handler = std::move(handler), ... result = std::move(result)]() mutable {
                     std::move(handler)(std::move(result)...);
                   });
  };
  asio::co_spawn(loop, std::move(work),
                 asio::bind_cancellation_slot(cancellation->slot(), std::move(on_end)));
}

}  // namespace detail

/// Awaits `work` on the event loop `loop`, which another thread may run, and returns to this one.
/// Whatever `work` refers to must stay in place until then. Cancelling this coroutine cancels
/// `work`.
template <typename T>
Awaitable<T> on_loop(asio::any_io_executor loop, Awaitable<T> work) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  if (loop == here) {
    co_return co_await std::move(work);
  }
  auto start = [&loop, &here, &work](auto handler) {
    detail::spawn_on(loop, here, std::move(work), std::move(handler));
  };
  using Signature = typename detail::Completion<T>::Signature;
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, Signature>(
      start, asio::use_awaitable);
}

}  // namespace everyitem
