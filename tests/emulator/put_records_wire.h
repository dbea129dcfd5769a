// What PutRecords is asked and answers, in both of Kinesis's formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/cbor_reader.h"

namespace everyitem::emulator {

/// Of a request (API reference, PutRecords).
inline constexpr std::size_t kMaxRecords = 500;

/// How a request and its answer are written.
enum class Wire { json, cbor };

/// Views of the request's body and of what was read from it.
struct PutRecord {
  std::string_view data;
  std::string_view partition_key;
  std::string_view explicit_hash_key;
  std::uint32_t shard = 0;

  /// As Kinesis counts them.
  std::size_t bytes() const { return data.size() + partition_key.size(); }
};

/// The records are valid until `body` changes or the thread reads another request. Data that is no
/// base64 is empty. The body has room for simdjson's padding behind its end. Throws
/// simdjson::simdjson_error where it is no such request.
std::vector<PutRecord> records_of_json(const std::string& body);

/// The records are valid as long as the body and the reader are. Throws CborError where it is no
/// such request.
std::vector<PutRecord> records_of_cbor(CborReader& body);

/// What became of a record.
struct PutResult {
  std::string_view error_code;  ///< empty: it was taken
  std::uint64_t sequence_number = 0;
  std::string_view shard_id;
};

struct PutRecordsAnswer {
  std::vector<PutResult> results;
  std::optional<std::size_t> failed;  ///< FailedRecordCount, where there is one
  bool null_error_codes = false;      ///< "ErrorCode":null in results without an error
};

std::string to_json(const PutRecordsAnswer& answer);
/// With lengths, no breaks.
std::string to_cbor(const PutRecordsAnswer& answer);

}  // namespace everyitem::emulator
