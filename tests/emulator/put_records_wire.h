// Requests and responses of PutRecords, in both of Kinesis's formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/cbor_reader.h"

namespace everyitem::emulator {

/// Per request (API reference, PutRecords).
inline constexpr std::size_t kMaxRecords = 500;

/// The encoding of a request and its response.
enum class Wire { json, cbor };

/// Views of the request's body, or of data decoded from it.
struct PutRecord {
  std::string_view data;
  std::string_view partition_key;
  std::string_view explicit_hash_key;
  std::uint32_t shard = 0;

  /// The size as Kinesis counts it.
  std::size_t bytes() const { return data.size() + partition_key.size(); }
};

/// The records are valid until `body` changes or the thread reads another request. Data that is
/// not base64 is empty. The body has room for simdjson's padding after its end. Throws
/// simdjson::simdjson_error if it is not such a request.
std::vector<PutRecord> records_of_json(const std::string& body);

/// The records are valid as long as the body and the reader are. Throws CborError if it is not
/// such a request.
std::vector<PutRecord> records_of_cbor(CborReader& body);

/// The result for a record.
struct PutResult {
  std::string_view error_code;  ///< empty if it was accepted
  std::uint64_t sequence_number = 0;
  std::string_view shard_id;
};

struct PutRecordsAnswer {
  std::vector<PutResult> results;
  std::optional<std::size_t> failed;  ///< FailedRecordCount, if included
  bool null_error_codes = false;      ///< "ErrorCode":null in results without an error
};

std::string to_json(const PutRecordsAnswer& answer);
/// With definite lengths.
std::string to_cbor(const PutRecordsAnswer& answer);

}  // namespace everyitem::emulator
