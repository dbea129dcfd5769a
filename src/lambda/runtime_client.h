// The Runtime API of AWS Lambda, where a custom runtime (provided.al2023) fetches its invocations.
// Reference: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "http/client.h"
#include "http/endpoint.h"

namespace everyitem::lambda {

struct Invocation {
  std::string request_id;
  std::string function_arn;  ///< with the version or alias that was invoked, where one was
  std::chrono::system_clock::time_point deadline;  ///< when Lambda kills the process
  boost::json::value event;                        ///< null where nothing was sent
};

/// What an invocation comes to.
struct Answer {
  std::string body;        ///< JSON
  std::string error_type;  ///< "RunFailed"; empty for a success
  /// The process must not be used any more: `serve` returns once this is sent.
  bool last = false;
};

/// The error answer for what was thrown: {"status": "failed", "errorType": ..., "errorMessage":
/// ...}.
Answer error_answer(const std::exception_ptr& failure);

/// Used from one event loop.
class RuntimeClient {
 public:
  using Handler = std::function<Awaitable<Answer>(const Invocation&)>;
  /// For the log: what went wrong with an invocation, one line.
  using Complaint = std::function<void(const std::string& request_id, std::string_view text)>;

  /// `clock` outlives this. `api` is what AWS_LAMBDA_RUNTIME_API says: host and port. Throws a
  /// usage error for another.
  RuntimeClient(const asio::any_io_executor& executor, Clock& clock, std::string_view api,
                Complaint complaint);

  /// Handles invocations, one after the other, until an answer is the last one. What the handler
  /// throws is answered as an error, and so is an event that is not JSON, which no handler sees.
  /// Each invocation's trace is in the process's environment while it is handled
  /// (_X_AMZN_TRACE_ID). Throws Error or http::TransportError when the Runtime API cannot be used:
  /// the process can only end.
  Awaitable<void> serve(const Handler& handler);

  /// Tells why the process cannot handle any invocation.
  Awaitable<void> report_init_error(const std::exception_ptr& failure);

 private:
  Awaitable<http::Response> next();
  Awaitable<Answer> answer_to(const http::Response& response, const std::string& request_id,
                              const Handler& handler);
  /// The status of what the Runtime API answers.
  Awaitable<int> send(const std::string& target, const Answer& answer);

  http::Client http_;
  Complaint complaint_;
};

}  // namespace everyitem::lambda
