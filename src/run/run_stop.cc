#include "run/run_stop.h"

#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "base/human_format.h"
#include "run/time_limit.h"

namespace everyitem::run {

void RunStop::request(pipeline::Pipeline* pipeline) {
  if (std::exchange(requested_, true)) {
    return;
  }
  requested_at_ = clock_.now();
  stop_start_up_.emit(asio::cancellation_type::terminal);
  if (pipeline == nullptr) {
    return;
  }
  left_ = pipeline->backlog();
  pipeline->stop();
  if (left_.items > 0) {
    constexpr auto kLimit = pipeline::StopLimits().delivering;
    notice_(fmt::format("{} left to deliver, which takes {}", counted(left_.items, "item"),
                        left_.time < kLimit
                            ? "about " + duration(left_.time)
                            : "longer than the " + duration(kLimit) + " that a stop waits for"));
  }
}

Awaitable<void> RunStop::start_up(Awaitable<void> work) {
  if (requested_) {
    co_return;
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  try {
    co_await asio::co_spawn(
        executor, std::move(work),
        asio::bind_cancellation_slot(stop_start_up_.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error& error) {
    if (!requested_ || error.code() != asio::error::operation_aborted) {
      throw;
    }
  }
  stop_start_up_.slot().clear();
}

Awaitable<void> RunStop::release(Awaitable<void> work) {
  if (!requested_) {
    co_await std::move(work);
    co_return;
  }
  const bool in_time = co_await ended_within(clock_, kMaxRelease, std::move(work));
  if (!in_time) {
    notice_("could not release the run in time; its lease expires by itself");
  }
}

void RunStop::tell(const pipeline::Pipeline& pipeline) const {
  if (!requested_) {
    return;
  }
  const std::string took = duration(clock_.now() - requested_at_);
  if (const std::uint64_t left = pipeline.backlog().items; left > 0) {
    notice_(fmt::format(
        "stopped after {}; {} not acknowledged by then: the next run delivers {} "
        "again",
        took, counted(left, "item") + (left == 1 ? " was" : " were"), left == 1 ? "it" : "them"));
  } else if (left_.items > 0) {
    notice_(fmt::format("stopped after {}; everything that was left is delivered", took));
  }
}

}  // namespace everyitem::run
