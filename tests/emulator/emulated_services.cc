#include "emulator/emulated_services.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <libdeflate.h>
#include <simdjson.h>

#include "emulator/cbor_reader.h"
#include "emulator/cbor_writer.h"
#include "emulator/list_shards_wire.h"

namespace everyitem::emulator {

namespace ondemand = simdjson::ondemand;

namespace {

/// More than the tolerance for signatures.
constexpr std::chrono::minutes kClockJump{10};

Reply error_reply(Wire wire, int status, std::string_view code, std::string_view message) {
  const std::string type = fmt::format("com.amazonaws.faults#{}", code);
  if (wire == Wire::cbor) {
    CborWriter cbor;
    cbor.open_map().text("__type").text(type).text("message").text(message).close();
    return {.status = status, .body = cbor.take(), .headers = {}, .content_type = kCborContentType};
  }
  return {.status = status,
          .body = fmt::format(R"({{"__type":"{}","message":"{}"}})", type, message),
          .headers = {}};
}

/// The name or ARN of the table or stream that a request is about. The ARN comes after the name.
std::string asked_in_json(const std::string& body) {
  ondemand::parser parser;
  const simdjson::padded_string text(body);
  ondemand::document document = parser.iterate(text);
  std::string asked;
  for (ondemand::field field : document.get_object()) {
    asked = field.value().get_string().value();
  }
  return asked;
}

std::string asked_in_cbor(const std::string& body) {
  std::string asked;
  CborReader reader(body);
  reader.map([&](std::string_view) { asked = reader.text(); });
  reader.end();
  return asked;
}

/// Of what was asked for by name or ARN, in an account of the services' own.
std::string arn_of(std::string_view service, std::string_view type, const std::string& asked) {
  return asked.starts_with("arn:")
             ? asked
             : fmt::format("arn:aws:{}:us-east-1:{}:{}/{}", service, kAccount, type, asked);
}

/// A service's response to a fault that keeps it from doing anything.
std::optional<Reply> refusal(Fault fault, Wire wire) {
  switch (fault) {
    case Fault::provisioned_throughput:
      return error_reply(wire, 400, "ProvisionedThroughputExceededException", "Slow down.");
    case Fault::throttling:
      return error_reply(wire, 400, "ThrottlingException", "Rate exceeded.");
    case Fault::request_limit:
      return error_reply(wire, 400, "RequestLimitExceeded",
                         "Throughput exceeds the account's limit.");
    case Fault::limit_exceeded:
      return error_reply(wire, 400, "LimitExceededException", "Too many calls.");
    case Fault::internal_error:
      return error_reply(wire, 500, "InternalServerError", "Internal server error");
    case Fault::internal_failure:
      return error_reply(wire, 500, "InternalFailure", "Internal failure");
    case Fault::unavailable:
      return error_reply(wire, 503, "ServiceUnavailable", "Service unavailable");
    case Fault::unavailable_empty:
      return Reply{.status = 503, .body = {}, .headers = {}};
    case Fault::unavailable_html:
      return Reply{.status = 503,
                   .body = "<html><h1>503</h1></html>",
                   .headers = {},
                   .content_type = "text/html"};
    case Fault::unavailable_retry_after: {
      Reply reply = error_reply(wire, 503, "ServiceUnavailable", "Service unavailable");
      reply.headers.push_back({"Retry-After", "2"});
      return reply;
    }
    case Fault::expired_token:
      return error_reply(wire, 400, "ExpiredTokenException", "The security token is expired");
    case Fault::unrecognized_client:
      return error_reply(wire, 400, "UnrecognizedClientException", "The security token is invalid");
    case Fault::clock_skew:
      return error_reply(wire, 400, "InvalidSignatureException", "Signature expired");
    case Fault::not_yet_valid:
      return error_reply(wire, 400, "InvalidSignatureException", "Signature not yet current");
    case Fault::access_denied:
      return error_reply(wire, 400, "AccessDeniedException", "User is not authorized");
    case Fault::not_found:
      return error_reply(wire, 400, "ResourceNotFoundException", "Requested resource not found");
    case Fault::resource_in_use:
      return error_reply(wire, 400, "ResourceInUseException", "The stream is being updated");
    case Fault::kms_throttling:
      return error_reply(wire, 400, "KMSThrottlingException", "Rate exceeded.");
    case Fault::kms_access_denied:
      return error_reply(wire, 400, "KMSAccessDeniedException", "The key may not be used");
    case Fault::kms_disabled:
      return error_reply(wire, 400, "KMSDisabledException", "The key is disabled");
    default:
      return std::nullopt;
  }
}

/// The body has room for simdjson's padding after its end (EmulatedServices::answer).
ondemand::document iterate(ondemand::parser& parser, const std::string& body) {
  return parser.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()));
}

}  // namespace

EmulatedServices::EmulatedServices(TableShape table, StreamShape stream,
                                   aws::Credentials credentials, const IdentityOptions& identity,
                                   const Clock* clock)
    : clock_(clock),
      table_(table),
      stream_(stream),
      identities_(std::move(credentials), identity.session_lifetime),
      identity_(identities_, identity),
      shards_(stream.shards, stream.shard_limits),
      received_(table_) {}

std::string EmulatedServices::operation_of(const ReceivedRequest& request) {
  const std::string_view target = request.header("x-amz-target");
  return target.empty() ? EmulatedIdentity::operation_of(request)
                        : std::string(target.substr(std::min(target.size(), target.find('.') + 1)));
}

Reply EmulatedServices::answer(ReceivedRequest& request, std::optional<Fault> fault,
                               FaultPlan& plan) {
  const std::string operation = operation_of(request);
  ++counts_.requests[operation];
  if (request.header("x-amz-target") == kSink) {
    counts_.sunk_bytes += request.body.size();
    return {.body = "{}"};
  }
  if (request.header("x-amz-target").empty() && !operation.empty()) {
    return answer_identity(request, operation, fault);
  }
  const bool of_kinesis = request.header("x-amz-target").starts_with("Kinesis_");
  const bool in_cbor = of_kinesis && request.header("content-type") == kCborContentType;
  counts_.cbor_requests += in_cbor ? 1 : 0;
  const bool knows_wire = !in_cbor || stream_.wires == KinesisWires::both;
  const Wire wire = in_cbor && knows_wire ? Wire::cbor : Wire::json;
  const bool of_ssm = request.header("x-amz-target").starts_with("AmazonSSM");
  const std::string_view service = of_ssm ? "ssm" : of_kinesis ? "kinesis" : "dynamodb";
  if (const auto refused = check_caller(request, operation, service)) {
    return error_reply(wire, 400, refused->code, refused->message);
  }
  if (fault) {
    move_clock(*fault);
    if (auto refused = refusal(*fault, wire)) {
      return std::move(*refused);
    }
  }
  if (!knows_wire) {
    return stream_.wires == KinesisWires::json_415
               ? Reply{.status = 415, .body = {}, .headers = {}}
               : Reply{.status = 400,
                       .body = R"({"__type":"UnknownOperationException"})",
                       .headers = {}};
  }
  if (wire == Wire::json) {
    request.body.reserve(request.body.size() + simdjson::SIMDJSON_PADDING);
  }
  Reply reply;
  try {
    if (operation == "Scan") {
      reply = scan(request.body);
    } else if (operation == "PutRecords") {
      reply = put_records(request.body, wire, fault, plan);
    } else if (operation == "DescribeTable") {
      reply = describe_table(request.body);
    } else if (operation == "DescribeStreamSummary") {
      reply = describe_stream(request.body, wire);
    } else if (operation == "ListShards") {
      reply = list_shards(request.body, wire);
    } else if (of_ssm || EmulatedItems::knows(operation)) {
      ServiceReply answered = of_ssm ? parameters_.answer(operation, request.body)
                                     : items_.answer(operation, request.body);
      reply = {.status = answered.status, .body = std::move(answered.body)};
    } else {
      return error_reply(wire, 400, "UnknownOperationException", "");
    }
  } catch (const simdjson::simdjson_error&) {
    return error_reply(wire, 400, "SerializationException", "The request cannot be read");
  } catch (const CborError& error) {
    return error_reply(wire, 400, "SerializationException", error.what());
  }
  if (fault == Fault::garbage) {
    reply.body = wire == Wire::cbor ? reply.body.substr(0, reply.body.size() / 2)
                                    : R"({"Items":[{"pk":{"S":"half an ite)";
  }
  std::uint32_t crc = libdeflate_crc32(0, reply.body.data(), reply.body.size());
  if (fault == Fault::wrong_crc) {
    ++crc;
  }
  reply.headers.push_back({"x-amz-crc32", std::to_string(crc)});
  return reply;
}

std::optional<SignatureRefusal> EmulatedServices::check_caller(const ReceivedRequest& request,
                                                               const std::string& operation,
                                                               std::string_view service) {
  auto refused = identities_.check(request, service, now());
  const std::string caller(access_key_id_of(request));
  if (!refused) {
    ++counts_.callers[operation][caller];
  } else if (refused->because_expired) {
    ++counts_.expired[caller];
  } else {
    ++(refused->because_of_time ? counts_.signatures_out_of_time : counts_.signatures_refused);
  }
  return refused;
}

Reply EmulatedServices::answer_identity(const ReceivedRequest& request,
                                        const std::string& operation, std::optional<Fault> fault) {
  if (!request.header("x-amz-date").empty()) {
    if (const auto refused = check_caller(request, operation, "sts")) {
      fault.reset();  // the service reports the problem itself
    }
  }
  if (fault) {
    move_clock(*fault);
  }
  return identity_.answer(request, fault, now());
}

/// Permanently, so that only clients that adopt the response's Date are accepted again.
void EmulatedServices::move_clock(Fault fault) {
  if (fault == Fault::clock_skew || fault == Fault::not_yet_valid) {
    clock_offset += fault == Fault::clock_skew ? kClockJump : -kClockJump;
  }
}

Reply EmulatedServices::describe_table(const std::string& body) const {
  const TableShape& shape = table_.shape();
  const std::string_view billing =
      shape.read_units_per_second > 0 ? "PROVISIONED" : "PAY_PER_REQUEST";
  return {.body = fmt::format(
              R"({{"Table":{{"TableName":"t","TableStatus":"ACTIVE","TableId":"generated",)"
              R"("TableArn":"{}",)"
              R"("KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}}],)"
              R"("BillingModeSummary":{{"BillingMode":"{}"}},)"
              R"("ProvisionedThroughput":{{"ReadCapacityUnits":{:.0f},"WriteCapacityUnits":1}},)"
              R"("ItemCount":{},"TableSizeBytes":{}}}}})",
              arn_of("dynamodb", "table", asked_in_json(body)), billing,
              shape.read_units_per_second, shape.items,
              shape.items * (shape.min_item_bytes + shape.max_item_bytes) / 2)};
}

Reply EmulatedServices::describe_stream(const std::string& body, Wire wire) const {
  const std::string_view status = updating() ? "UPDATING" : "ACTIVE";
  const std::string arn =
      arn_of("kinesis", "stream", wire == Wire::cbor ? asked_in_cbor(body) : asked_in_json(body));
  const std::size_t record_kibibytes = stream_.record_bytes / 1024;
  const bool tells_mode = stream_.mode != StreamMode::none;
  const std::string_view mode =
      stream_.mode == StreamMode::provisioned ? "PROVISIONED" : "ON_DEMAND";
  if (wire == Wire::cbor) {
    CborWriter cbor;
    cbor.open_map().text("StreamDescriptionSummary").open_map();
    cbor.text("StreamName").text("s").text("StreamStatus").text(status);
    cbor.text("StreamARN").text(arn).text("OpenShardCount").number(shards_.open_shards());
    cbor.text("MaxRecordSizeInKiB").number(record_kibibytes);
    if (tells_mode) {
      cbor.text("StreamModeDetails").map(1).text("StreamMode").text(mode);
    }
    cbor.close().close();
    return {.body = cbor.take(), .content_type = kCborContentType};
  }
  return {
      .body = fmt::format(
          R"({{"StreamDescriptionSummary":{{"StreamName":"s","StreamStatus":"{}",)"
          R"("StreamARN":"{}","OpenShardCount":{},"MaxRecordSizeInKiB":{}{}}}}})",
          status, arn, shards_.open_shards(), record_kibibytes,
          tells_mode ? fmt::format(R"(,"StreamModeDetails":{{"StreamMode":"{}"}})", mode) : "")};
}

Reply EmulatedServices::list_shards(const std::string& body, Wire wire) const {
  const ListShardsRequest request =
      wire == Wire::cbor ? list_shards_of_cbor(body) : list_shards_of_json(body);
  // "Don't specify StreamName ... if you specify NextToken" (API reference, ListShards).
  if (request.names_stream == request.next_token.has_value()) {
    return error_reply(wire, 400, "InvalidArgumentException",
                       "Either NextToken or StreamName should be provided");
  }
  const std::vector<ListedShard>& all = shards_.all();
  const std::uint64_t first = request.next_token.value_or(0);
  if (first > all.size()) {
    return error_reply(wire, 400, "ExpiredNextTokenException", "The token has expired");
  }
  const std::size_t most = std::min(stream_.shards_per_page, request.max_results);
  const std::size_t count = std::min<std::size_t>(most, all.size() - first);
  ListShardsAnswer answer{.shards = std::span(all).subspan(first, count), .next_token = {}};
  if (first + count < all.size()) {
    answer.next_token = first + count;
  }
  if (wire == Wire::cbor) {
    return {.body = to_cbor(answer), .content_type = kCborContentType};
  }
  return {.body = to_json(answer)};
}

bool EmulatedServices::may_be_read(std::chrono::steady_clock::time_point now) {
  const double limit = table_.shape().read_units_per_second;
  if (limit <= 0) {
    return true;
  }
  const std::chrono::duration<double> elapsed = now - read_credit_as_of_;
  read_credit_ = std::min(read_credit_ + limit * elapsed.count(), limit);
  read_credit_as_of_ = now;
  return read_credit_ > 0;
}

Reply EmulatedServices::scan(const std::string& body) {
  thread_local ondemand::parser parser;
  ondemand::document document = iterate(parser, body);
  GeneratedTable::PageRequest request;
  request.return_consumed_capacity = false;
  for (ondemand::field field : document.get_object()) {
    const std::string_view name = field.unescaped_key();
    if (name == "Segment") {
      request.segment = static_cast<std::uint32_t>(field.value().get_uint64());
    } else if (name == "TotalSegments") {
      request.total_segments = static_cast<std::uint32_t>(field.value().get_uint64());
    } else if (name == "Limit") {
      request.limit = field.value().get_uint64();
    } else if (name == "ConsistentRead") {
      request.consistent_read = field.value().get_bool();
    } else if (name == "ReturnConsumedCapacity") {
      const std::string_view what = field.value().get_string();
      request.return_consumed_capacity = what != "NONE";
    } else if (name == "ExclusiveStartKey") {
      // A key starts like its item, apart from spaces added by the client.
      const std::string_view key = field.value()["pk"]["S"].get_string();
      const std::string beginning = fmt::format(R"({{"pk":{{"S":"{}"}})", key);
      request.after = table_.number_of(beginning + std::string(kMinItemBytes, ' '));
      if (!request.after) {
        return error_reply(Wire::json, 400, "ValidationException",
                           "The provided starting key is invalid");
      }
    }
  }
  if (!may_be_read(clock().now())) {
    ++counts_.reads_refused;
    return error_reply(Wire::json, 400, "ProvisionedThroughputExceededException", "Slow down.");
  }
  auto page = table_.page(request);
  if (!page) {
    return error_reply(Wire::json, 400, "ValidationException",
                       "The provided starting key is outside the segment");
  }
  counts_.read_units += page->read_units;
  read_credit_ -= page->read_units;
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

/// Whether the stream rejects this record no matter how often it is sent.
bool EmulatedServices::is_refused(std::string_view data) {
  return stream_.refused_every > 0 && consumer_.any_item(data, [&](std::string_view item) {
    const auto number = table_.number_of(item);
    return number && *number % stream_.refused_every == 0;
  });
}

Reply EmulatedServices::put_records(const std::string& body, Wire wire, std::optional<Fault> fault,
                                    FaultPlan& plan) {
  CborReader cbor(body);
  std::vector<PutRecord> records =
      wire == Wire::cbor ? records_of_cbor(cbor) : records_of_json(body);
  const std::uint64_t call = put_calls_++;
  if (stream_.split_at == call) {
    shards_.split_all();
    split_at_call_ = call;
  }
  std::size_t bytes = 0;
  bool too_large = false;
  for (const PutRecord& record : records) {
    bytes += record.bytes();
    too_large = too_large || record.bytes() > stream_.record_bytes;
  }
  if (!shards_.place(records)) {
    return error_reply(wire, 400, "InvalidArgumentException", "ExplicitHashKey is not a hash key");
  }
  if (records.empty() || records.size() > kMaxRecords || bytes > stream_.request_bytes ||
      too_large) {
    ++counts_.requests_over_limits;
    return error_reply(wire, 400, "ValidationException", "1 validation error detected");
  }
  if (stream_.refusal == Refusal::request &&
      std::ranges::any_of(records, [&](const PutRecord& one) { return is_refused(one.data); })) {
    return error_reply(wire, 400, "ValidationException", "A record of the request is refused");
  }

  const bool refuses_some = fault == Fault::partial_throttle || fault == Fault::partial_failure ||
                            fault == Fault::no_failed_count;
  constexpr std::string_view kThrottled = "ProvisionedThroughputExceededException";
  const auto time = clock().now();
  /// Why a record is rejected; empty if it is accepted.
  const auto refusal_of = [&](const PutRecord& record) -> std::string_view {
    if (fault == Fault::all_refused || (refuses_some && plan.random(3) == 0)) {
      return fault == Fault::partial_failure ? "InternalFailure" : kThrottled;
    }
    if (is_refused(record.data)) {
      return "InvalidArgumentException";
    }
    if (!shards_.take(record.shard, record.bytes(), time)) {
      ++counts_.records_throttled;
      return kThrottled;
    }
    return "";
  };
  PutRecordsAnswer answer{
      .results = {}, .failed = {}, .null_error_codes = fault == Fault::null_error_codes};
  answer.results.reserve(records.size());
  std::vector<PutRecord> taken;
  taken.reserve(records.size());
  for (const PutRecord& record : records) {
    const std::string_view code = refusal_of(record);
    if (!code.empty()) {
      answer.results.push_back({.error_code = code});
      continue;
    }
    taken.push_back(record);
    answer.results.push_back({.error_code = {},
                              .sequence_number = ++sequence_number_,
                              .shard_id = shards_.id_of(record.shard)});
  }
  consumer_.take(taken);
  if (fault == Fault::missing_results) {
    answer.results.pop_back();
  }
  if (fault != Fault::no_failed_count) {
    answer.failed =
        answer.results.size() - std::ranges::count(answer.results, "", &PutResult::error_code);
  }
  if (wire == Wire::cbor) {
    return {.body = to_cbor(answer), .content_type = kCborContentType};
  }
  return {.body = to_json(answer)};
}

}  // namespace everyitem::emulator
