// What DescribeStreamSummary says about the destination stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/client.h"
#include "base/wire.h"
#include "batch/kinesis_limits.h"
#include "batch/put_records_format.h"

namespace everyitem::sink {

/// Who makes sure that a stream has enough shards.
enum class StreamMode {
  unknown,      ///< not reported, by local servers and old services
  provisioned,  ///< its owner
  on_demand,    ///< Kinesis
};

struct StreamDescription {
  std::string arn;
  std::string created;  ///< in seconds since 1970; changes if a stream is deleted and created
                        ///< again; empty if not reported
  std::uint32_t open_shards = 0;  ///< 0 if not reported
  StreamMode mode = StreamMode::unknown;
  batch::PutRecordsLimits limits;
  std::optional<std::chrono::hours> retention;  ///< nothing if not reported
  /// The answer was in CBOR, but not as AWS writes it: other answers in CBOR must not be trusted.
  bool nonstandard_cbor = false;
};

/// Reads an answer to DescribeStreamSummary. Throws aws::MalformedResponse if it is not one,
/// aws::NotReady if the stream is being created, and Error if it is being deleted.
StreamDescription parse_stream_description(std::string_view body, Wire wire,
                                           std::string_view stream);

/// Asks Kinesis in this wire format, and waits for a stream that is being created. `tries_wire`: as
/// in aws::Call. Throws Error.
Awaitable<StreamDescription> describe_stream(aws::Client& kinesis, Wire wire,
                                             batch::StreamId stream, bool tries_wire);

}  // namespace everyitem::sink
