#include "source/segment_scanner.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "source/dynamodb_limits.h"

namespace everyitem::source {

SegmentScanner::SegmentScanner(const ScanContext& context, std::uint32_t segment,
                               const ScanPosition& start)
    : context_(context), segment_(segment), position_(start) {
  if (start.last_evaluated_key.empty()) {
    return;
  }
  start_ = StartKey::parse(start.last_evaluated_key, context_.position_names);
  if (!start_) {
    throw Error(ErrorKind::failed,
                {.operation = "Scan",
                 .object = context_.object,
                 .code = {},
                 .message = fmt::format("the checkpoint's position in segment {} is not a key of "
                                        "this table",
                                        segment),
                 .hint = "Use " + setting::kRestart + " to start over."});
  }
}

Awaitable<ScanPage> SegmentScanner::next(std::optional<std::uint64_t> limit, aws::Pacer* pacer) {
  std::optional<ScanPage> page;
  std::optional<StartKey> next;
  const std::string body = context_.requests.page(segment_, start_ ? &*start_ : nullptr, limit);
  const aws::Client::Accept accept = [&](http::Response response) {
    page = ScanPage::parse(std::move(response.body), context_.keys);
    if (page->last_evaluated_key().empty()) {
      return;
    }
    next = StartKey::parse(page->last_evaluated_key(), context_.position_names);
    if (!next) {
      throw aws::MalformedResponse("LastEvaluatedKey is not a key of the table");
    }
    if (next == start_) {
      // Continuing from there would read this page forever.
      throw aws::MalformedResponse("the page ends where it began (same LastEvaluatedKey)");
    }
  };
  const std::vector<std::string>& values = context_.requests.values();
  const aws::Call call{.operation = "Scan",
                       .object = context_.object,
                       .body = body,
                       .secrets = {values.begin(), values.end()},
                       .max_answer_bytes = kMaxPageAnswerBytes,
                       .holds_items = start_.has_value(),
                       .pacer = pacer};
  co_await context_.dynamodb.call(call, accept);
  start_ = page->last_evaluated_key().empty() ? std::nullopt : std::move(next);
  position_ = {.last_evaluated_key = start_ ? start_->json() : std::string(),
               .complete = !start_.has_value()};
  co_return std::move(*page);
}

}  // namespace everyitem::source
