#include "checkpoint/dead_letter_table.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "aws/redaction.h"
#include "aws/service_error.h"
#include "base/error.h"
#include "base/on_loop.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "checkpoint/dynamodb_attributes.h"
#include "checkpoint/run_record.h"

namespace everyitem::checkpoint {

namespace json = boost::json;

namespace {

/// The version of a letter's attributes.
constexpr int kFormat = 1;

/// As DynamoDB takes it: a text that was not UTF-8 would be refused however often it is written.
std::string bounded_text(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view kCut = "...";
  std::string bounded;
  while (!text.empty()) {
    const std::size_t bytes = first_character(text).bytes;
    if (bounded.size() + std::max<std::size_t>(bytes, 1) > max_bytes) {
      return bounded.append(kCut);
    }
    bounded.append(bytes > 0 ? text.substr(0, bytes) : "?");
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return bounded;
}

void add_text(json::object& item, std::string_view name, std::string_view text,
              std::size_t max_bytes) {
  if (!text.empty()) {
    item[name] = text_attribute(bounded_text(text, max_bytes));
  }
}

}  // namespace

DeadLetterTable::DeadLetterTable(const DynamoDbLocation& location, const StoreContext& context,
                                 sink::DeadLetterOrigin origin, asio::any_io_executor home)
    : items_(location, context, "dead letters"),
      clock_(context.clock),
      origin_(std::move(origin)),
      home_(std::move(home)) {}

Awaitable<void> DeadLetterTable::check() {
  Awaitable<void> work = check_here();
  co_await on_loop(home_, std::move(work));
}

Awaitable<void> DeadLetterTable::check_here() {
  const json::object values{{":run", text_attribute(items_.run())}};
  const std::string never = "attribute_not_exists(#run) AND #run = :run";
  try {
    co_await items_.put_if(items_.key("dead-letter-check"), never, values);
  } catch (const Error& error) {
    aws::require_known(error, setting::kDeadLetters);
    throw;
  }
}

Awaitable<void> DeadLetterTable::write(std::vector<sink::DeadLetter> letters) {
  Awaitable<void> work = write_here(letters);
  co_await on_loop(home_, std::move(work));
}

/// One after the other: a partition takes about as many letters as the batches under way write.
Awaitable<void> DeadLetterTable::write_here(const std::vector<sink::DeadLetter>& letters) {
  for (const sink::DeadLetter& letter : letters) {
    json::object request{{"Item", item_of(letter)}};
    co_await items_.call("PutItem", std::move(request));
  }
}

json::object DeadLetterTable::item_of(const sink::DeadLetter& letter) const {
  const std::string& known_by = letter.key.empty() ? letter.item : letter.key;
  json::object item =
      items_.key(fmt::format("dead-letter-{}-{}", origin_.token, hex(sha256(known_by))));
  const json::object attributes = letter_attributes(origin_, letter, seconds_now(clock_));
  item.insert(attributes.begin(), attributes.end());
  return item;
}

json::object letter_attributes(const sink::DeadLetterOrigin& origin, const sink::DeadLetter& letter,
                               std::int64_t written_at) {
  json::object item;
  item["format"] = number_attribute(kFormat);
  item["token"] = text_attribute(origin.token);
  item["table"] = text_attribute(origin.table_arn.empty() ? origin.table : origin.table_arn);
  if (!origin.index.empty()) {
    item["index"] = text_attribute(origin.index);
  }
  item["destination"] = text_attribute(origin.destination);
  item["segment"] = number_attribute(letter.segment);
  item["attempts"] = number_attribute(letter.attempts);
  item["written_at"] = number_attribute(written_at);
  add_text(item, "code", letter.code, DeadLetterTable::kMaxCodeBytes);
  add_text(item, "reason", aws::without_items(letter.reason), DeadLetterTable::kMaxReasonBytes);
  json::error_code error;
  json::value key = json::parse(letter.key, error);
  if (!error && key.is_object()) {
    item["key"] = json::object{{"M", std::move(key)}};
  }
  return item;
}

}  // namespace everyitem::checkpoint
