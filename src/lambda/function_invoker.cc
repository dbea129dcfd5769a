#include "lambda/function_invoker.h"

#include <array>
#include <limits>
#include <memory>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "aws/percent_encoding.h"
#include "base/error.h"
#include "base/human_format.h"

namespace everyitem::lambda {

namespace {

Error not_within(const std::string& object, std::chrono::nanoseconds time) {
  return Error(ErrorKind::failed, {.operation = "Invoke",
                                   .object = object,
                                   .message = fmt::format("not queued within {}", duration(time))});
}

}  // namespace

Awaitable<void> FunctionInvoker::invoke(std::string_view event, std::chrono::nanoseconds within) {
  const std::string object = fmt::format("function {}", function_arn_);
  const std::string path =
      fmt::format("/2015-03-31/functions/{}/invocations", aws::percent_encode(function_arn_));
  const std::array<http::Header, 1> headers = {http::Header{"X-Amz-Invocation-Type", "Event"}};
  const aws::Call call{.operation = "Invoke",
                       .object = object,
                       .body = event,
                       .path = path,
                       .headers = headers,
                       .success = 202,  // queued
                       .patience = aws::waiting_at_most(within)};

  asio::cancellation_signal cancellation;
  const auto executor = co_await asio::this_coro::executor;
  const auto timer = clock_.make_timer(
      executor, [&cancellation] { cancellation.emit(asio::cancellation_type::terminal); });
  timer->set(clock_.now() + within);
  bool timed_out = false;
  try {
    co_await asio::co_spawn(executor, client_.call(call, [](const http::Response&) {}),
                            asio::bind_cancellation_slot(cancellation.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) {
      throw;
    }
    timed_out = true;
  }
  if (timed_out) {
    throw not_within(object, within);
  }
}

}  // namespace everyitem::lambda
