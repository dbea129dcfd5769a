#include "sink/stream_description.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/answer_document.h"
#include "aws/json_members.h"
#include "aws/service_error.h"
#include "base/error.h"

namespace everyitem::sink {

namespace json = boost::json;

namespace {

constexpr std::string_view kOperation = "DescribeStreamSummary";

/// AWS's times are seconds in JSON and milliseconds in CBOR, as its SDK for Java reads them. As
/// seconds, this is in the year 5138.
constexpr double kMaxSeconds = 1e11;

/// A year (Kinesis API reference, IncreaseStreamRetentionPeriod).
constexpr std::uint64_t kMaxRetentionHours = 8760;

StreamMode mode_of(const json::object& summary) {
  const json::value* details = summary.if_contains("StreamModeDetails");
  const std::string mode = details != nullptr && details->is_object()
                               ? aws::text_member(details->get_object(), "StreamMode")
                               : std::string();
  if (mode == "PROVISIONED") {
    return StreamMode::provisioned;
  }
  return mode == "ON_DEMAND" ? StreamMode::on_demand : StreamMode::unknown;
}

}  // namespace

StreamDescription parse_stream_description(std::string_view body, Wire wire,
                                           std::string_view stream) {
  StreamDescription description;
  std::string status;
  aws::read_document(kOperation, body, wire, [&](const json::object& answer) {
    const json::object& summary = answer.at("StreamDescriptionSummary").as_object();
    description.arn = aws::text_member(summary, "StreamARN");
    const std::uint64_t open_shards = aws::count_member(summary, "OpenShardCount");
    if (open_shards > batch::kMaxOpenShards) {
      throw aws::MalformedResponse("the stream claims more shards than any stream has");
    }
    description.open_shards = static_cast<std::uint32_t>(open_shards);
    if (const json::value* created = summary.if_contains("StreamCreationTimestamp")) {
      const double time = created->to_number<double>();
      const bool milliseconds = time > kMaxSeconds;
      description.created = fmt::format("{:.3f}", milliseconds ? time / 1000 : time);
      description.nonstandard_cbor = wire == Wire::cbor && !milliseconds;
    }
    status = aws::text_member(summary, "StreamStatus");
    description.mode = mode_of(summary);
    if (const std::uint64_t hours = aws::count_member(summary, "RetentionPeriodHours");
        hours > 0 && hours <= kMaxRetentionHours) {
      description.retention = std::chrono::hours(hours);
    }
    const std::uint64_t record_kib = aws::count_member(summary, "MaxRecordSizeInKiB");
    if (record_kib > batch::kDefaultMaxRecordBytes / 1024) {
      description.limits.request_bytes = batch::kMaxRequestBytesLargeRecords;
      // Whatever the stream says, a record must fit into a request.
      description.limits.record_bytes =
          std::min<std::uint64_t>(record_kib, description.limits.request_bytes / 1024) * 1024;
    }
  });
  // A stream that is being resharded (UPDATING) still takes records.
  const std::string fault = fmt::format("the stream is {}, not ACTIVE", status);
  if (status == "CREATING") {
    throw aws::NotReady(fault);
  }
  if (status != "ACTIVE" && status != "UPDATING") {
    throw Error(ErrorKind::failed, {.operation = std::string(kOperation),
                                    .object = fmt::format("stream {}", stream),
                                    .message = fault});
  }
  return description;
}

Awaitable<StreamDescription> describe_stream(aws::Client& kinesis, Wire wire,
                                             batch::StreamId stream, bool tries_wire) {
  StreamDescription description;
  const std::string object = fmt::format("stream {} in {}", stream.name, kinesis.region());
  const std::string body = batch::put_records_format(wire).naming(stream);
  const aws::Client::Accept accept = [&](const http::Response& response) {
    description = parse_stream_description(response.body.view(), wire, stream.name);
  };
  const aws::Call call{.operation = kOperation,
                       .object = object,
                       .body = body,
                       .wire = wire,
                       .tries_wire = tries_wire};
  try {
    co_await kinesis.call(call, accept);
  } catch (const Error& error) {
    aws::require_known(error, setting::kStream);
    throw;
  }
  co_return description;
}

}  // namespace everyitem::sink
