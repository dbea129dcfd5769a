#include "sink/put_records_result.h"

#include <algorithm>
#include <array>
#include <cstring>
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

/// Replaces an ErrorCode that does not look like one.
constexpr std::string_view kUnnamedError = "UnnamedError";

struct Entry {
  bool has_sequence_number = false;
  std::string_view code;
  std::string_view message;
  std::string_view shard_id;
};

/// A service's message as it may be shown.
std::string shown(std::string_view message) {
  return aws::without_items(aws::without_secrets(std::string(message), {}));
}

void add_failure(PutRecordsResult& result, std::uint32_t index, const Entry& entry) {
  // An entry without a code gives no reason not to send the record again.
  const aws::ErrorClass error_class =
      entry.code.empty() ? aws::ErrorClass::transient : aws::classify(400, entry.code);
  if (error_class == aws::ErrorClass::invalid) {
    result.invalid.push_back(
        {.index = index, .code = std::string(entry.code), .message = shown(entry.message)});
    return;
  }
  const bool throttled = error_class == aws::ErrorClass::throttle;
  const bool retryable = throttled || error_class == aws::ErrorClass::transient;
  if (result.failed.empty() || (result.only_throttled && !throttled) ||
      (result.only_retryable && !retryable)) {
    result.code = entry.code;
    result.message = shown(entry.message);
  }
  result.failed.push_back(index);
  result.only_throttled = result.only_throttled && throttled;
  result.only_retryable = result.only_retryable && retryable;
}

/// An answer, read entry by entry.
struct Answer {
  const AcceptedBy& accepted_by;
  PutRecordsResult result = {};
  std::optional<std::uint64_t> failed_count = {};
  std::uint32_t entries = 0;

  void add(const Entry& entry) {
    if (!entry.has_sequence_number || !entry.code.empty()) {
      add_failure(result, entries, entry);
    } else if (accepted_by && !entry.shard_id.empty()) {
      accepted_by(entries, entry.shard_id);
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
      const std::string_view text = field.value().raw_json_token();
      entry.has_sequence_number = text.starts_with('"') && !text.starts_with(R"("")");
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
Answer read_json(const PaddedBuffer& body, const AcceptedBy& accepted_by) {
  thread_local ondemand::parser parser;
  Answer answer{.accepted_by = accepted_by};
  ondemand::document document = parser.iterate(body.data(), body.size(), body.capacity());
  for (ondemand::field field : document.get_object()) {
    const std::string_view name = field.unescaped_key();
    if (name == "FailedRecordCount" && !field.value().is_null()) {
      answer.failed_count = field.value().get_uint64();
    } else if (name == "Records") {
      for (ondemand::value value : field.value().get_array()) {
        answer.add(read_json_entry(value.get_object(), accepted_by != nullptr));
      }
    }
  }
  return answer;
}

/// The bytes of an accepted record's entry. All such entries of an answer are alike, except for the
/// texts of SequenceNumber and ShardId, and comparing costs far less than reading.
class AcceptedEntry {
 public:
  /// From an entry that was read. `texts`: the slices of it that differ, in any order.
  void learn(std::string_view entry, std::array<std::string_view, 2> texts) {
    size_ = entry.size() <= sizeof(words_) ? entry.size() : 0;
    words_ = {};
    compared_ = {};
    std::memcpy(words_.data(), entry.data(), size_);
    std::memset(compared_.data(), 0xff, size_);
    for (const std::string_view text : texts) {
      if (size_ > 0) {
        std::memset(reinterpret_cast<char*>(compared_.data()) + (text.data() - entry.data()), 0,
                    text.size());
      }
    }
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] &= compared_[i];
    }
  }

  /// Whether `bytes` begin with such an entry. May say no if only a few bytes follow it.
  bool begins(std::string_view bytes) const {
    const std::size_t words = (size_ + sizeof(Word) - 1) / sizeof(Word);
    if (size_ == 0 || bytes.size() < words * sizeof(Word)) {
      return false;
    }
    Word difference = 0;
    for (std::size_t i = 0; i < words; ++i) {
      Word word = 0;
      std::memcpy(&word, bytes.data() + i * sizeof(Word), sizeof(Word));
      difference |= (word & compared_[i]) ^ words_[i];
    }
    return difference == 0;
  }
  std::size_t size() const { return size_; }

 private:
  using Word = std::uint64_t;
  /// Twice the size of Kinesis's entries, which have about 110 bytes.
  using Words = std::array<Word, 32>;

  std::size_t size_ = 0;
  Words words_{};     ///< the entry, with zeros for its texts
  Words compared_{};  ///< ones for the bits to compare
};

void add_cbor_entry(CborReader& reader, Answer& answer, AcceptedEntry& accepted) {
  const std::string_view bytes = reader.rest();
  if (!answer.accepted_by && accepted.begins(bytes)) {
    reader.pass(accepted.size());
    ++answer.entries;
    return;
  }
  Entry entry;
  std::string sequence_number_pieces;
  std::string_view sequence_number;
  std::string code;
  std::string message;
  std::string shard_id;
  reader.members([&](std::string_view name) {
    if (name == "SequenceNumber") {
      if (reader.next() == CborType::text) {
        sequence_number = reader.string(sequence_number_pieces);
        entry.has_sequence_number = !sequence_number.empty();
      } else {
        reader.skip();
      }
    } else if (name == "ErrorCode" && !reader.null()) {
      entry.code = code_of(reader.string(code));
    } else if (name == "ErrorMessage" && !reader.null()) {
      entry.message = reader.string(message);
    } else if (name == "ShardId" && reader.next() == CborType::text) {
      entry.shard_id = reader.string(shard_id);
    } else if (name != "ErrorCode" && name != "ErrorMessage") {
      reader.skip();
    }
  });
  // A text that came in pieces, or not at all, is not a slice of the entry.
  const bool slices = sequence_number_pieces.empty() && !sequence_number.empty() &&
                      shard_id.empty() && !entry.shard_id.empty();
  if (slices && entry.code.empty()) {
    accepted.learn(bytes.substr(0, bytes.size() - reader.bytes_left()),
                   {sequence_number, entry.shard_id});
  }
  answer.add(entry);
}

/// Throws CborError.
Answer read_cbor(std::string_view body, const AcceptedBy& accepted_by) {
  Answer answer{.accepted_by = accepted_by};
  CborReader reader(body);
  reader.members([&](std::string_view name) {
    if (name == "FailedRecordCount") {
      if (!reader.null()) {
        answer.failed_count = reader.unsigned_integer();
      }
    } else if (name == "Records") {
      AcceptedEntry accepted;
      reader.elements([&] { add_cbor_entry(reader, answer, accepted); });
    } else {
      reader.skip();
    }
  });
  if (!reader.at_end()) {
    throw CborError("it has bytes after its end");
  }
  return answer;
}

Answer read(const PaddedBuffer& body, Wire wire, const AcceptedBy& accepted_by) {
  constexpr std::string_view kUnreadable = "the answer to PutRecords cannot be read: {}";
  try {
    return wire == Wire::cbor ? read_cbor(body.view(), accepted_by) : read_json(body, accepted_by);
  } catch (const simdjson::simdjson_error& error) {
    throw aws::MalformedResponse(fmt::format(kUnreadable, error.what()));
  } catch (const CborError& error) {
    throw aws::MalformedResponse(fmt::format(kUnreadable, error.what()));
  }
}

}  // namespace

PutRecordsResult parse_put_records_result(const PaddedBuffer& body, std::size_t sent, Wire wire,
                                          const AcceptedBy& accepted_by) {
  Answer answer = read(body, wire, accepted_by);
  if (answer.entries != sent) {
    throw aws::MalformedResponse(fmt::format(
        "the answer to PutRecords has {} results for {} records", answer.entries, sent));
  }
  const std::size_t not_accepted = answer.result.failed.size() + answer.result.invalid.size();
  if (answer.failed_count && *answer.failed_count != not_accepted) {
    throw aws::MalformedResponse(
        fmt::format("the answer to PutRecords says {} failed records but lists {}",
                    *answer.failed_count, not_accepted));
  }
  return std::move(answer.result);
}

}  // namespace everyitem::sink
