#include "source/segment_scanner.h"

#include <utility>

#include "source/dynamodb_limits.h"

namespace everyitem::source {

Awaitable<ScanPage> SegmentScanner::next(std::optional<std::uint64_t> limit, aws::Pacer* pacer) {
  std::optional<ScanPage> page;
  const std::string body = context_.requests.page(segment_, position_, limit);
  const aws::Client::Accept accept = [&](http::Response response) {
    page = ScanPage::parse(std::move(response.body), context_.keys);
    if (!page->last_evaluated_key().empty() &&
        page->last_evaluated_key() == position_.last_evaluated_key) {
      // Continuing from there would read this page forever.
      throw aws::MalformedResponse("the page ends where it began (same LastEvaluatedKey)");
    }
  };
  const aws::Call call{.operation = "Scan",
                       .object = context_.object,
                       .body = body,
                       .max_answer_bytes = kMaxPageAnswerBytes,
                       .holds_items = !position_.last_evaluated_key.empty(),
                       .pacer = pacer};
  co_await context_.dynamodb.call(call, accept);
  const std::string_view last_key = page->last_evaluated_key();
  position_ = {.last_evaluated_key = std::string(last_key), .complete = last_key.empty()};
  co_return std::move(*page);
}

}  // namespace everyitem::source
