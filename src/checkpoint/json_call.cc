#include "checkpoint/json_call.h"

#include <utility>

#include <fmt/format.h>

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// Enough for a page of a Query, which is 1 MB as DynamoDB counts (API reference, Query), in JSON,
/// where what a checkpoint holds takes at most some ten times as much.
constexpr std::size_t kMaxAnswerBytes = 16U << 20;

}  // namespace

Awaitable<json::object> call_json(aws::Client& client, std::string operation, std::string object,
                                  json::object request) {
  json::object answer;
  const std::string body = json::serialize(request);
  const aws::Client::Accept accept = [&](const http::Response& response) {
    boost::system::error_code error;
    json::value parsed = json::parse(json::string_view(response.body.view()), error);
    if (error || !parsed.is_object()) {
      throw aws::MalformedResponse(fmt::format("the answer to {} is not a JSON object", operation));
    }
    answer = std::move(parsed.get_object());
  };
  const aws::Call call{.operation = operation,
                       .object = object,
                       .body = body,
                       .max_answer_bytes = kMaxAnswerBytes,
                       .holds_items = true};
  co_await client.call(call, accept);
  co_return answer;
}

}  // namespace everyitem::checkpoint
