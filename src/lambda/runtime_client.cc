#include "lambda/runtime_client.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/printable.h"
#include "base/unix_time.h"
#include "lambda/scanner_settings.h"

namespace everyitem::lambda {

namespace {

constexpr std::string_view kApi = "/2018-06-01/runtime";
constexpr std::string_view kAsk = "ask for an invocation";

/// Unbounded: between invocations the sandbox is frozen, perhaps for hours, and only the clocks
/// show it when it continues. A timeout would fire at that moment and lose, with the connection,
/// the invocation that is just coming in.
constexpr http::Timeouts kNoTimeouts{.connect = std::chrono::milliseconds(10'000),
                                     .idle = std::chrono::milliseconds::max(),
                                     .keep_alive = std::chrono::milliseconds::max(),
                                     .max_age = std::chrono::milliseconds::max()};

/// Of an event: 6 MB when invoked synchronously, 1 MB otherwise (Developer Guide, "Lambda quotas").
constexpr std::size_t kMaxEventBytes = 6U << 20;

Error api_error(std::string_view operation, std::string message) {
  return Error(ErrorKind::failed, {.operation = std::string(operation),
                                   .object = "Lambda's Runtime API",
                                   .message = std::move(message)});
}

std::string required_header(const http::Response& response, std::string_view name) {
  const std::string_view value = response.header(name);
  if (value.empty()) {
    throw api_error(kAsk, fmt::format("the answer has no {}", name));
  }
  return std::string(value);
}

std::chrono::system_clock::time_point parse_deadline(const std::string& text) {
  std::int64_t milliseconds = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, milliseconds);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    throw api_error(kAsk, fmt::format("\"{}\" is not a deadline", text));
  }
  return unix_time<std::chrono::milliseconds>(milliseconds);
}

boost::json::value parse_event(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return nullptr;
  }
  boost::system::error_code not_json;
  boost::json::value event = boost::json::parse(body, not_json);
  if (not_json) {
    throw usage_error("the event is not JSON: " + not_json.message());
  }
  return event;
}

Invocation read_invocation(const http::Response& response, std::string request_id) {
  return {.request_id = std::move(request_id),
          .function_arn = required_header(response, "Lambda-Runtime-Invoked-Function-Arn"),
          .deadline = parse_deadline(required_header(response, "Lambda-Runtime-Deadline-Ms")),
          .event = parse_event(response.body.view())};
}

}  // namespace

Answer error_answer(const std::exception_ptr& failure) {
  std::string type = "Unexpected";
  Message message = "unknown error";
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    type = error.kind() == ErrorKind::usage ? "InvalidSettings"
           : error.details().code.empty()   ? "RunFailed"
                                            : error.details().code;
    message = error.message();
  } catch (const std::exception& error) {
    message = error.what();
  } catch (...) {  // an answer is owed all the same
  }
  std::string body = boost::json::serialize(boost::json::object{
      {"status", "failed"}, {"errorType", type}, {"errorMessage", message.worded(as_variable)}});
  return {.body = std::move(body), .error_type = std::move(type)};
}

RuntimeClient::RuntimeClient(const asio::any_io_executor& executor, Clock& clock,
                             std::string_view api, Complaint complaint)
    : http_(executor, clock,
            http::parse_endpoint(fmt::format("http://{}", api), "AWS_LAMBDA_RUNTIME_API"), nullptr,
            kNoTimeouts),
      complaint_(std::move(complaint)) {}

Awaitable<void> RuntimeClient::serve(const Handler& handler) {
  for (bool last = false; !last;) {
    const http::Response response = co_await next();
    const std::string id = required_header(response, "Lambda-Runtime-Aws-Request-Id");
    // Nothing else runs between invocations that could be reading the environment.
    setenv("_X_AMZN_TRACE_ID", std::string(response.header("Lambda-Runtime-Trace-Id")).c_str(), 1);
    const Answer answer = co_await answer_to(response, id, handler);
    const int status = co_await send(fmt::format("{}/invocation/{}/{}", kApi, id,
                                                 answer.error_type.empty() ? "response" : "error"),
                                     answer);
    // Others than 500 concern this invocation alone, which may be over already.
    if (status / 100 != 2) {
      complaint_(id, fmt::format("the answer was not taken: HTTP status {}", status));
    }
    last = answer.last;
  }
}

Awaitable<void> RuntimeClient::report_init_error(const std::exception_ptr& failure) {
  const Answer answer = error_answer(failure);
  co_await send(fmt::format("{}/init/error", kApi), answer);
}

Awaitable<Answer> RuntimeClient::answer_to(const http::Response& response,
                                           const std::string& request_id, const Handler& handler) {
  std::exception_ptr failure;
  try {
    const Invocation invocation = read_invocation(response, request_id);
    co_return co_await handler(invocation);
  } catch (...) {
    failure = std::current_exception();
  }
  Answer answer = error_answer(failure);
  complaint_(request_id, answer.body);
  co_return answer;
}

Awaitable<http::Response> RuntimeClient::next() {
  const std::string target = fmt::format("{}/invocation/next", kApi);
  http::Request request;
  request.method = "GET";
  request.target = target;
  request.limits.bytes = kMaxEventBytes;
  http::Response response = co_await http_.send(request);
  if (response.status != 200) {
    throw api_error(kAsk, fmt::format("HTTP status {}", response.status));
  }
  co_return response;
}

Awaitable<int> RuntimeClient::send(const std::string& target, const Answer& answer) {
  const std::string body = printable(answer.body);
  http::Request request;
  request.target = target;
  request.body = body;
  request.headers.push_back({"Content-Type", "application/json"});
  if (!answer.error_type.empty()) {
    request.headers.push_back({"Lambda-Runtime-Function-Error-Type", answer.error_type});
  }
  const http::Response response = co_await http_.send(request);
  // The reference: 500 is "non-recoverable state. Runtime should exit promptly". Others concern
  // this invocation alone, which may be over already.
  if (response.status >= 500) {
    throw api_error("answer", fmt::format("HTTP status {}", response.status));
  }
  co_return response.status;
}

}  // namespace everyitem::lambda
