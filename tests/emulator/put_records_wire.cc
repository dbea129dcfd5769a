#include "emulator/put_records_wire.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "emulator/base64_decoding.h"
#include "emulator/cbor_writer.h"

namespace everyitem::emulator {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr std::size_t kMaxResultBytes = 128;  ///< in the response
constexpr std::string_view kErrorMessage = "Refused on purpose";

}  // namespace

std::vector<PutRecord> records_of_json(const std::string& body) {
  thread_local ondemand::parser parser;
  thread_local std::vector<char> decoded;  // the data of all records
  decoded.resize(std::max(decoded.size(), body.size()));
  char* next = decoded.data();

  ondemand::document document =
      parser.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()));
  std::vector<PutRecord> records;
  records.reserve(kMaxRecords);
  for (ondemand::object record : document["Records"].get_array()) {
    PutRecord& made = records.emplace_back();
    for (ondemand::field field : record) {
      const std::string_view name = field.unescaped_key();
      const std::string_view value = field.value().get_string();
      if (name == "Data") {
        made.data = {next, decode_base64(value, next).value_or(0)};
        next += made.data.size();
      } else if (name == "PartitionKey") {
        made.partition_key = value;
      } else if (name == "ExplicitHashKey") {
        made.explicit_hash_key = value;
      }
    }
  }
  return records;
}

std::vector<PutRecord> records_of_cbor(CborReader& body) {
  std::vector<PutRecord> records;
  records.reserve(kMaxRecords);
  const auto read_record = [&] {
    PutRecord& made = records.emplace_back();
    body.map([&](std::string_view name) {
      if (name == "Data") {
        made.data = body.bytes();
      } else if (name == "PartitionKey") {
        made.partition_key = body.text();
      } else if (name == "ExplicitHashKey") {
        made.explicit_hash_key = body.text();
      } else {
        body.skip();
      }
    });
  };
  body.map([&](std::string_view name) {
    if (name == "Records") {
      body.array(read_record);
    } else if (name == "StreamName" || name == "StreamARN") {
      body.text();
    } else {
      body.skip();
    }
  });
  body.end();
  return records;
}

std::string to_json(const PutRecordsAnswer& answer) {
  std::string json = "{";
  json.reserve((answer.results.size() + 1) * kMaxResultBytes);
  if (answer.failed) {
    json += fmt::format(R"("FailedRecordCount":{},)", *answer.failed);
  }
  json += R"("Records":[)";
  for (const PutResult& result : answer.results) {
    json += &result == &answer.results.front() ? "" : ",";
    if (!result.error_code.empty()) {
      json += R"({"ErrorCode":")";
      json += result.error_code;
      json += R"(","ErrorMessage":")";
      json += kErrorMessage;
      json += R"("})";
    } else {
      json += R"({"SequenceNumber":")";
      json += std::to_string(result.sequence_number);
      json += R"(","ShardId":")";
      json += result.shard_id;
      json += answer.null_error_codes ? R"(","ErrorCode":null})" : R"("})";
    }
  }
  return json + "]}";
}

std::string to_cbor(const PutRecordsAnswer& answer) {
  CborWriter cbor((answer.results.size() + 1) * kMaxResultBytes);
  cbor.map(answer.failed ? 2 : 1);
  if (answer.failed) {
    cbor.text("FailedRecordCount").number(*answer.failed);
  }
  cbor.text("Records").array(answer.results.size());
  for (const PutResult& result : answer.results) {
    if (!result.error_code.empty()) {
      cbor.map(2).text("ErrorCode").text(result.error_code);
      cbor.text("ErrorMessage").text(kErrorMessage);
    } else {
      cbor.map(answer.null_error_codes ? 3 : 2);
      cbor.text("SequenceNumber").text(std::to_string(result.sequence_number));
      cbor.text("ShardId").text(result.shard_id);
      if (answer.null_error_codes) {
        cbor.text("ErrorCode").null();
      }
    }
  }
  return cbor.take();
}

}  // namespace everyitem::emulator
