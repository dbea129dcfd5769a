#include "sink/put_records_result.h"

#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "aws/client.h"
#include "aws/redaction.h"
#include "aws/service_error.h"

namespace everyitem::sink {

namespace ondemand = simdjson::ondemand;

namespace {

/// Stands for an ErrorCode that cannot be one.
constexpr std::string_view kUnnamedError = "UnnamedError";

struct Entry {
  bool has_sequence_number = false;
  std::string_view code;
  std::string_view message;
};

Entry read_entry(ondemand::object object) {
  Entry entry;
  for (ondemand::field field : object) {
    const std::string_view name = field.unescaped_key();
    if (name == "SequenceNumber") {
      entry.has_sequence_number = field.value().type() == ondemand::json_type::string;
    } else if (name == "ErrorCode" && !field.value().is_null()) {
      const std::string_view code = field.value().get_string();
      entry.code = aws::is_error_code(code) ? code : kUnnamedError;
    } else if (name == "ErrorMessage" && !field.value().is_null()) {
      entry.message = field.value().get_string();
    }
  }
  return entry;
}

std::string told(std::string_view message) {
  return aws::without_items(aws::without_secrets(std::string(message), {}));
}

void add_failure(PutRecordsResult& result, std::uint32_t index, const Entry& entry) {
  // An entry without a code says nothing against sending it again.
  const aws::ErrorClass error_class =
      entry.code.empty() ? aws::ErrorClass::transient : aws::classify(400, entry.code);
  if (error_class == aws::ErrorClass::invalid) {
    result.invalid.push_back(
        {.place = index, .code = std::string(entry.code), .message = told(entry.message)});
    return;
  }
  const bool throttled = error_class == aws::ErrorClass::throttle;
  const bool retryable = throttled || error_class == aws::ErrorClass::transient;
  if (result.failed.empty() || (result.only_throttled && !throttled) ||
      (result.only_retryable && !retryable)) {
    result.code = entry.code;
    result.message = told(entry.message);
  }
  result.failed.push_back(index);
  result.only_throttled = result.only_throttled && throttled;
  result.only_retryable = result.only_retryable && retryable;
}

}  // namespace

PutRecordsResult parse_put_records_result(const PaddedBuffer& body, std::size_t sent) {
  thread_local ondemand::parser parser;

  PutRecordsResult result;
  std::optional<std::uint64_t> failed_count;
  std::uint32_t entries = 0;
  try {
    ondemand::document document = parser.iterate(body.data(), body.size(), body.capacity());
    for (ondemand::field field : document.get_object()) {
      const std::string_view name = field.unescaped_key();
      if (name == "FailedRecordCount" && !field.value().is_null()) {
        failed_count = field.value().get_uint64();
      } else if (name == "Records") {
        for (ondemand::value value : field.value().get_array()) {
          const Entry entry = read_entry(value.get_object());
          if (!entry.has_sequence_number || !entry.code.empty()) {
            add_failure(result, entries, entry);
          }
          ++entries;
        }
      }
    }
  } catch (const simdjson::simdjson_error& error) {
    throw aws::MalformedResponse(
        fmt::format("the answer to PutRecords cannot be read: {}", error.what()));
  }
  if (entries != sent) {
    throw aws::MalformedResponse(
        fmt::format("the answer to PutRecords has {} results for {} records", entries, sent));
  }
  const std::size_t not_taken = result.failed.size() + result.invalid.size();
  if (failed_count && *failed_count != not_taken) {
    throw aws::MalformedResponse(
        fmt::format("the answer to PutRecords counts {} failed records and shows {}", *failed_count,
                    not_taken));
  }
  return result;
}

}  // namespace everyitem::sink
