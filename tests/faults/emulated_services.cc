#include "emulated_services.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <libdeflate.h>
#include <simdjson.h>

#include "base64_decoding.h"

namespace everyitem::faults {

namespace ondemand = simdjson::ondemand;

namespace {

constexpr std::size_t kMaxRecords = 500;
constexpr std::size_t kMaxResultBytes = 128;  ///< of a record's entry in the answer
/// More than a signature may be off.
constexpr std::chrono::minutes kClockJump{10};

Reply error_reply(int status, std::string_view code, std::string_view message) {
  return {.status = status,
          .body = fmt::format(R"({{"__type":"com.amazonaws.faults#{}","message":"{}"}})", code,
                              message),
          .headers = {}};
}

/// What a service says for a fault that keeps it from doing anything.
std::optional<Reply> refusal(Fault fault) {
  switch (fault) {
    case Fault::provisioned_throughput:
      return error_reply(400, "ProvisionedThroughputExceededException", "Slow down.");
    case Fault::throttling:
      return error_reply(400, "ThrottlingException", "Rate exceeded.");
    case Fault::request_limit:
      return error_reply(400, "RequestLimitExceeded", "Throughput exceeds the account's limit.");
    case Fault::limit_exceeded:
      return error_reply(400, "LimitExceededException", "Too many calls.");
    case Fault::internal_error:
      return error_reply(500, "InternalServerError", "Internal server error");
    case Fault::internal_failure:
      return error_reply(500, "InternalFailure", "Internal failure");
    case Fault::unavailable:
      return error_reply(503, "ServiceUnavailable", "Service unavailable");
    case Fault::unavailable_empty:
      return Reply{.status = 503, .body = {}, .headers = {}};
    case Fault::unavailable_html:
      return Reply{.status = 503, .body = "<html><h1>503</h1></html>", .headers = {}};
    case Fault::unavailable_retry_after: {
      Reply reply = error_reply(503, "ServiceUnavailable", "Service unavailable");
      reply.headers.push_back({"Retry-After", "2"});
      return reply;
    }
    case Fault::expired_token:
      return error_reply(400, "ExpiredTokenException", "The security token is expired");
    case Fault::unrecognized_client:
      return error_reply(400, "UnrecognizedClientException", "The security token is invalid");
    case Fault::clock_skew:
      return error_reply(400, "InvalidSignatureException", "Signature expired");
    case Fault::not_yet_valid:
      return error_reply(400, "InvalidSignatureException", "Signature not yet current");
    case Fault::access_denied:
      return error_reply(400, "AccessDeniedException", "User is not authorized");
    case Fault::not_found:
      return error_reply(400, "ResourceNotFoundException", "Requested resource not found");
    case Fault::resource_in_use:
      return error_reply(400, "ResourceInUseException", "The stream is being updated");
    case Fault::kms_throttling:
      return error_reply(400, "KMSThrottlingException", "Rate exceeded.");
    case Fault::kms_access_denied:
      return error_reply(400, "KMSAccessDeniedException", "The key may not be used");
    case Fault::kms_disabled:
      return error_reply(400, "KMSDisabledException", "The key is disabled");
    default:
      return std::nullopt;
  }
}

/// Views of a request's body and of what was read from it, valid until the next is read.
struct PutRecord {
  std::string_view data;
  std::string_view partition_key;
  std::string_view explicit_hash_key;
  std::uint32_t shard = 0;
  std::size_t bytes = 0;  ///< as Kinesis counts them
};

/// The body has room for simdjson's padding behind its end (EmulatedServices::answer).
ondemand::document iterate(ondemand::parser& parser, const std::string& body) {
  return parser.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()));
}

/// Throws simdjson_error when it is not a PutRecords request. Data that is no base64 is empty.
std::vector<PutRecord> parse_put_records(const std::string& body) {
  thread_local ondemand::parser parser;
  thread_local std::vector<char> decoded;  // of all records, one after the other
  decoded.resize(std::max(decoded.size(), body.size()));
  char* next = decoded.data();

  ondemand::document document = iterate(parser, body);
  std::vector<PutRecord> records;
  for (ondemand::object record : document["Records"].get_array()) {
    PutRecord& made = records.emplace_back();
    for (ondemand::field field : record) {
      const std::string_view name = field.unescaped_key();
      const std::string_view value = field.value().get_string();
      if (name == "Data") {
        made.data = {next, decode_base64(value, next).value_or(0)};
        made.bytes += made.data.size();
        next += made.data.size();
      } else if (name == "PartitionKey") {
        made.partition_key = value;
        made.bytes += value.size();
      } else if (name == "ExplicitHashKey") {
        made.explicit_hash_key = value;
      }
    }
  }
  return records;
}

}  // namespace

EmulatedServices::EmulatedServices(TableShape table, StreamShape stream,
                                   aws::Credentials credentials)
    : table_(table),
      stream_(stream),
      credentials_(std::move(credentials)),
      shards_(stream.shards, stream.shard_limits),
      received_(table_) {}

std::string_view EmulatedServices::operation_of(const ReceivedRequest& request) {
  const std::string_view target = request.header("x-amz-target");
  return target.substr(std::min(target.size(), target.find('.') + 1));
}

Reply EmulatedServices::answer(ReceivedRequest& request, std::optional<Fault> fault,
                               FaultPlan& plan) {
  const std::string_view operation = operation_of(request);
  ++counts_.requests[std::string(operation)];
  if (request.header("x-amz-target") == kSink) {
    counts_.sunk_bytes += request.body.size();
    return {.body = "{}"};
  }
  const bool of_kinesis = request.header("x-amz-target").starts_with("Kinesis_");
  if (const auto refused =
          check_signature(request, credentials_, of_kinesis ? "kinesis" : "dynamodb",
                          std::chrono::system_clock::now() + clock_offset)) {
    ++(refused->because_of_time ? counts_.signatures_out_of_time : counts_.signatures_refused);
    return error_reply(400, refused->code, refused->message);
  }
  if (fault) {
    if (fault == Fault::clock_skew || fault == Fault::not_yet_valid) {
      // For good, so that only a client that adopts the answer's Date is let in again.
      clock_offset += fault == Fault::clock_skew ? kClockJump : -kClockJump;
    }
    if (auto refused = refusal(*fault)) {
      return std::move(*refused);
    }
  }
  request.body.reserve(request.body.size() + simdjson::SIMDJSON_PADDING);
  Reply reply;
  try {
    if (operation == "Scan") {
      reply = scan(request.body);
    } else if (operation == "PutRecords") {
      reply = put_records(request.body, fault, plan);
    } else if (operation == "DescribeTable") {
      reply = describe_table();
    } else if (operation == "DescribeStreamSummary") {
      reply = describe_stream();
    } else {
      return error_reply(400, "UnknownOperationException", "");
    }
  } catch (const simdjson::simdjson_error&) {
    return error_reply(400, "SerializationException", "The request cannot be read");
  }
  if (fault == Fault::garbage) {
    reply.body = R"({"Items":[{"pk":{"S":"half an ite)";
  }
  std::uint32_t crc = libdeflate_crc32(0, reply.body.data(), reply.body.size());
  if (fault == Fault::wrong_crc) {
    ++crc;
  }
  reply.headers.push_back({"x-amz-crc32", std::to_string(crc)});
  return reply;
}

Reply EmulatedServices::describe_table() const {
  const TableShape& shape = table_.shape();
  return {.body = fmt::format(
              R"({{"Table":{{"TableName":"t","TableStatus":"ACTIVE","TableId":"generated",)"
              R"("TableArn":"arn:aws:dynamodb:us-east-1:000000000000:table/t",)"
              R"("KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}}],)"
              R"("ItemCount":{},"TableSizeBytes":{}}}}})",
              shape.items, shape.items * (shape.min_item_bytes + shape.max_item_bytes) / 2)};
}

Reply EmulatedServices::describe_stream() const {
  return {.body =
              fmt::format(R"({{"StreamDescriptionSummary":{{"StreamName":"s","StreamStatus":"{}",)"
                          R"("StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/s",)"
                          R"("OpenShardCount":{},"MaxRecordSizeInKiB":{}}}}})",
                          updating() ? "UPDATING" : "ACTIVE", shards_.open_shards(),
                          stream_.record_bytes / 1024)};
}

Reply EmulatedServices::scan(const std::string& body) {
  thread_local ondemand::parser parser;
  ondemand::document document = iterate(parser, body);
  GeneratedTable::PageRequest request;
  for (ondemand::field field : document.get_object()) {
    const std::string_view name = field.unescaped_key();
    if (name == "Segment") {
      request.segment = static_cast<std::uint32_t>(field.value().get_uint64());
    } else if (name == "TotalSegments") {
      request.total_segments = static_cast<std::uint32_t>(field.value().get_uint64());
    } else if (name == "Limit") {
      request.limit = field.value().get_uint64();
    } else if (name == "ExclusiveStartKey") {
      // A key has the beginning of its item, whatever spaces the client put into it.
      const std::string_view key = field.value()["pk"]["S"].get_string();
      const std::string beginning = fmt::format(R"({{"pk":{{"S":"{}"}})", key);
      request.after = table_.number_of(beginning + std::string(kMinItemBytes, ' '));
      if (!request.after) {
        return error_reply(400, "ValidationException", "The provided starting key is invalid");
      }
    }
  }
  auto page = table_.page(request);
  if (!page) {
    return error_reply(400, "ValidationException",
                       "The provided starting key is outside the segment");
  }
  pages_served_[request.segment].insert(request.after ? *request.after + 1 : 0);
  return {.body = std::move(page->body)};
}

bool EmulatedServices::updating() const {
  return split_at_call_ && put_calls_ - *split_at_call_ <= kUpdatingCalls;
}

bool EmulatedServices::can_be_taken(std::uint64_t item) const {
  const bool refused = stream_.refused_every > 0 && item % stream_.refused_every == 0;
  const bool too_large =
      table_.is_oversize(item) && table_.shape().oversize_bytes > stream_.record_bytes;
  return !refused && !too_large;
}

std::uint64_t EmulatedServices::undeliverable() const {
  const TableShape& shape = table_.shape();
  const auto multiples_of = [&](std::uint64_t every) {
    return every == 0 ? 0 : (shape.items + every - 1) / every;
  };
  const std::uint64_t refused = stream_.refused_every;
  const std::uint64_t oversize =
      shape.oversize_bytes > stream_.record_bytes ? shape.oversize_every : 0;
  const std::uint64_t both = refused == 0 || oversize == 0 ? 0 : std::lcm(refused, oversize);
  return multiples_of(refused) + multiples_of(oversize) - multiples_of(both);
}

/// Whether the stream will not have this record, however often it is sent.
bool EmulatedServices::is_refused(std::string_view data) const {
  const auto number =
      stream_.refused_every > 0 ? table_.number_of(data) : std::optional<std::uint64_t>();
  return number && *number % stream_.refused_every == 0;
}

Reply EmulatedServices::put_records(const std::string& body, std::optional<Fault> fault,
                                    FaultPlan& plan) {
  std::vector<PutRecord> records = parse_put_records(body);
  const std::uint64_t call = put_calls_++;
  if (stream_.split_at == call) {
    shards_.split_all();
    split_at_call_ = call;
  }
  std::size_t bytes = 0;
  bool too_large = false;
  for (PutRecord& record : records) {
    bytes += record.bytes;
    too_large = too_large || record.bytes > stream_.record_bytes;
    const auto shard = shards_.shard_of(record.partition_key, record.explicit_hash_key);
    if (!shard) {
      return error_reply(400, "InvalidArgumentException", "ExplicitHashKey is no hash");
    }
    record.shard = *shard;
  }
  if (records.empty() || records.size() > kMaxRecords || bytes > stream_.request_bytes ||
      too_large) {
    ++counts_.requests_over_limits;
    return error_reply(400, "ValidationException", "1 validation error detected");
  }
  if (stream_.refusal == Refusal::request &&
      std::ranges::any_of(records, [&](const PutRecord& one) { return is_refused(one.data); })) {
    return error_reply(400, "ValidationException", "A record of the request is refused");
  }

  const bool refuses_some = fault == Fault::partial_throttle || fault == Fault::partial_failure ||
                            fault == Fault::no_failed_count;
  constexpr std::string_view kThrottled = "ProvisionedThroughputExceededException";
  const auto now = std::chrono::steady_clock::now();
  /// Why a record is not taken; empty when it is.
  const auto refusal_of = [&](const PutRecord& record) -> std::string_view {
    if (fault == Fault::all_refused || (refuses_some && plan.random(3) == 0)) {
      return fault == Fault::partial_failure ? "InternalFailure" : kThrottled;
    }
    if (is_refused(record.data)) {
      return "InvalidArgumentException";
    }
    return shards_.take(record.shard, record.bytes, now) ? "" : kThrottled;
  };
  std::string results;
  results.reserve(records.size() * kMaxResultBytes);
  std::size_t refused = 0;
  std::size_t answered = 0;
  for (const PutRecord& record : records) {
    const std::string_view code = refusal_of(record);
    if (code.empty()) {
      received_.add(record.data);
    }
    if (fault == Fault::missing_results && &record == &records.back()) {
      break;
    }
    results += answered++ > 0 ? "," : "";
    if (!code.empty()) {
      ++refused;
      results += R"({"ErrorCode":")";
      results += code;
      results += R"(","ErrorMessage":"Refused on purpose"})";
    } else {
      results += R"({"SequenceNumber":")";
      results += std::to_string(++sequence_number_);
      results += R"(","ShardId":")";
      results += shards_.id_of(record.shard);
      results += fault == Fault::null_error_codes ? R"(","ErrorCode":null})" : R"("})";
    }
  }
  std::string head;
  if (fault != Fault::no_failed_count) {
    head = fmt::format(R"("FailedRecordCount":{},)", refused);
  }
  return {.body = fmt::format(R"({{{}"Records":[{}]}})", head, results)};
}

}  // namespace everyitem::faults
