#include "sink/put_records_result.h"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "aws/client.h"
#include "aws/redaction.h"
#include "aws/service_error.h"
#include "base/cbor.h"

namespace everyitem::sink {

namespace ondemand = simdjson::ondemand;

namespace {

/// Stands for an ErrorCode that cannot be one.
constexpr std::string_view kUnnamedError = "UnnamedError";

struct Entry {
  bool has_sequence_number = false;
  std::string_view code;
  std::string_view message;
  std::string_view shard_id;  ///< read only where somebody wants it
};

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

/// What an answer says, entry by entry.
struct Answer {
  const TakenBy& taken_by;
  PutRecordsResult result = {};
  std::optional<std::uint64_t> failed_count = {};
  std::uint32_t entries = 0;

  void take(const Entry& entry) {
    if (!entry.has_sequence_number || !entry.code.empty()) {
      add_failure(result, entries, entry);
    } else if (!entry.shard_id.empty()) {
      taken_by(entries, entry.shard_id);
    }
    ++entries;
  }
};

std::string_view code_of(std::string_view code) {
  return aws::is_error_code(code) ? code : kUnnamedError;
}

Entry read_json_entry(ondemand::object object, bool with_shard) {
  Entry entry;
  for (ondemand::field field : object) {
    const std::string_view name = field.unescaped_key();
    if (name == "SequenceNumber") {
      entry.has_sequence_number = field.value().type() == ondemand::json_type::string;
    } else if (name == "ErrorCode" && !field.value().is_null()) {
      entry.code = code_of(field.value().get_string());
    } else if (name == "ErrorMessage" && !field.value().is_null()) {
      entry.message = field.value().get_string();
    } else if (with_shard && name == "ShardId" && !field.value().is_null()) {
      entry.shard_id = field.value().get_string();
    }
  }
  return entry;
}

/// Throws simdjson_error.
Answer read_json(const PaddedBuffer& body, const TakenBy& taken_by) {
  thread_local ondemand::parser parser;
  Answer answer{.taken_by = taken_by};
  ondemand::document document = parser.iterate(body.data(), body.size(), body.capacity());
  for (ondemand::field field : document.get_object()) {
    const std::string_view name = field.unescaped_key();
    if (name == "FailedRecordCount" && !field.value().is_null()) {
      answer.failed_count = field.value().get_uint64();
    } else if (name == "Records") {
      for (ondemand::value value : field.value().get_array()) {
        answer.take(read_json_entry(value.get_object(), taken_by != nullptr));
      }
    }
  }
  return answer;
}

void take_cbor_entry(CborReader& reader, Answer& answer) {
  Entry entry;
  std::string code;
  std::string message;
  std::string shard_id;
  reader.members([&](std::string_view name) {
    if (name == "SequenceNumber") {
      entry.has_sequence_number = reader.next() == CborType::text;
      reader.skip();
    } else if (name == "ErrorCode" && !reader.null()) {
      entry.code = code_of(reader.string(code));
    } else if (name == "ErrorMessage" && !reader.null()) {
      entry.message = reader.string(message);
    } else if (name == "ShardId" && answer.taken_by && reader.next() == CborType::text) {
      entry.shard_id = reader.string(shard_id);
    } else if (name != "ErrorCode" && name != "ErrorMessage") {
      reader.skip();
    }
  });
  answer.take(entry);
}

/// Throws CborError.
Answer read_cbor(std::string_view body, const TakenBy& taken_by) {
  Answer answer{.taken_by = taken_by};
  CborReader reader(body);
  reader.members([&](std::string_view name) {
    if (name == "FailedRecordCount") {
      if (!reader.null()) {
        answer.failed_count = reader.unsigned_integer();
      }
    } else if (name == "Records") {
      reader.elements([&] { take_cbor_entry(reader, answer); });
    } else {
      reader.skip();
    }
  });
  if (!reader.at_end()) {
    throw CborError("it has bytes behind its end");
  }
  return answer;
}

Answer read(const PaddedBuffer& body, Wire wire, const TakenBy& taken_by) {
  constexpr std::string_view kUnreadable = "the answer to PutRecords cannot be read: {}";
  try {
    return wire == Wire::cbor ? read_cbor(body.view(), taken_by) : read_json(body, taken_by);
  } catch (const simdjson::simdjson_error& error) {
    throw aws::MalformedResponse(fmt::format(kUnreadable, error.what()));
  } catch (const CborError& error) {
    throw aws::MalformedResponse(fmt::format(kUnreadable, error.what()));
  }
}

}  // namespace

PutRecordsResult parse_put_records_result(const PaddedBuffer& body, std::size_t sent, Wire wire,
                                          const TakenBy& taken_by) {
  Answer answer = read(body, wire, taken_by);
  if (answer.entries != sent) {
    throw aws::MalformedResponse(fmt::format(
        "the answer to PutRecords has {} results for {} records", answer.entries, sent));
  }
  const std::size_t not_taken = answer.result.failed.size() + answer.result.invalid.size();
  if (answer.failed_count && *answer.failed_count != not_taken) {
    throw aws::MalformedResponse(
        fmt::format("the answer to PutRecords counts {} failed records and shows {}",
                    *answer.failed_count, not_taken));
  }
  return std::move(answer.result);
}

}  // namespace everyitem::sink
