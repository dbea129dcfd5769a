// What DescribeStreamSummary says of the stream that is to be filled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/client.h"
#include "base/wire.h"
#include "batch/kinesis_limits.h"
#include "batch/put_records_format.h"

namespace everyitem::sink {

/// Who sees to it that a stream has enough shards.
enum class StreamMode {
  not_told,     ///< by local servers, and those of old
  provisioned,  ///< whoever it belongs to
  on_demand,    ///< Kinesis
};

struct StreamDescription {
  std::string arn;
  std::string created;  ///< in seconds since 1970; changes when a stream is deleted and made anew;
                        ///< empty if not told
  std::uint32_t open_shards = 0;  ///< 0 where the service does not say
  StreamMode mode = StreamMode::not_told;
  batch::PutRecordsLimits limits;
  /// What came was in CBOR, but not as AWS writes it: its other answers are not to be trusted.
  bool strange_cbor = false;
};

/// Reads an answer of DescribeStreamSummary. Throws aws::MalformedResponse when it is not one, and
/// Error when the stream takes no records now (it is being created or deleted).
StreamDescription parse_stream_description(std::string_view body, Wire wire,
                                           std::string_view stream);

/// Asks Kinesis on that wire. Throws Error.
Awaitable<StreamDescription> describe_stream(aws::Client& kinesis, Wire wire,
                                             batch::StreamId stream);

}  // namespace everyitem::sink
