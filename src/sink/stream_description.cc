#include "sink/stream_description.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "aws/json_members.h"
#include "aws/service_error.h"
#include "base/cbor.h"
#include "base/error.h"

namespace everyitem::sink {

namespace json = boost::json;

namespace {

/// AWS's times are seconds in JSON and milliseconds in CBOR, as its SDK for Java reads them. As
/// seconds, this is in the year 5138.
constexpr double kMaxSeconds = 1e11;

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
  try {
    const json::value parsed = wire == Wire::cbor ? parse_cbor(body) : json::parse(body);
    const json::object& summary = parsed.as_object().at("StreamDescriptionSummary").as_object();
    description.arn = aws::text_member(summary, "StreamARN");
    description.open_shards =
        static_cast<std::uint32_t>(aws::count_member(summary, "OpenShardCount"));
    if (const json::value* created = summary.if_contains("StreamCreationTimestamp")) {
      const double time = created->to_number<double>();
      const bool milliseconds = time > kMaxSeconds;
      description.created = fmt::format("{:.3f}", milliseconds ? time / 1000 : time);
      description.nonstandard_cbor = wire == Wire::cbor && !milliseconds;
    }
    status = aws::text_member(summary, "StreamStatus");
    description.mode = mode_of(summary);
    const std::uint64_t record_kib = aws::count_member(summary, "MaxRecordSizeInKiB");
    if (record_kib > batch::kDefaultMaxRecordBytes / 1024) {
      description.limits.request_bytes = batch::kMaxRequestBytesLargeRecords;
      // Whatever the stream says, a record must fit into a request.
      description.limits.record_bytes =
          std::min<std::uint64_t>(record_kib, description.limits.request_bytes / 1024) * 1024;
    }
  } catch (const std::exception& error) {  // CborError, and Boost.JSON's, of several types
    throw aws::MalformedResponse(
        fmt::format("the answer to DescribeStreamSummary cannot be read: {}", error.what()));
  }
  // A stream that is being resharded (UPDATING) still takes records.
  if (status != "ACTIVE" && status != "UPDATING") {
    throw Error(ErrorKind::failed,
                {.operation = "PutRecords",
                 .object = fmt::format("stream {}", stream),
                 .message = fmt::format("the stream is {}, not ACTIVE", status),
                 .hint = status == "CREATING" ? "Wait until it is ACTIVE." : ""});
  }
  return description;
}

Awaitable<StreamDescription> describe_stream(aws::Client& kinesis, Wire wire,
                                             batch::StreamId stream) {
  StreamDescription description;
  const std::string object = fmt::format("stream {} in {}", stream.name, kinesis.region());
  const std::string body = batch::put_records_format(wire).naming(stream);
  const aws::Client::Accept accept = [&](const http::Response& response) {
    description = parse_stream_description(response.body.view(), wire, stream.name);
  };
  const aws::Call call{.operation = "DescribeStreamSummary",
                       .object = object,
                       .body = body,
                       .wire = wire,
                       .limits = aws::kStartUpLimits};
  try {
    co_await kinesis.call(call, accept);
  } catch (const Error& error) {
    aws::require_known(error, setting::kStream);
    throw;
  }
  co_return description;
}

}  // namespace everyitem::sink
