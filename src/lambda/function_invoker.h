// Starts a Lambda function without waiting for it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "aws/client.h"
#include "base/async.h"
#include "base/clock.h"
#include "http/client.h"

namespace everyitem::lambda {

/// Used from one event loop.
class FunctionInvoker {
 public:
  /// `client` speaks to aws::kLambda; it and `clock` outlive this. `function_arn` may name a
  /// version or alias.
  FunctionInvoker(aws::Client& client, Clock& clock, std::string function_arn)
      : client_(client), clock_(clock), function_arn_(std::move(function_arn)) {}

  /// Queues an invocation with this event; throttled and failed requests are retried for as long as
  /// `within` allows. If a response is lost, the event may be queued twice. Throws Error.
  Awaitable<void> invoke(std::string_view event, std::chrono::nanoseconds within);

 private:
  aws::Client& client_;
  Clock& clock_;
  std::string function_arn_;
};

}  // namespace everyitem::lambda
