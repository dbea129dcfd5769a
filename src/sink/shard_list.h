// Asks Kinesis for the shards of a stream.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/client.h"
#include "base/wire.h"
#include "batch/put_records_format.h"
#include "batch/shard_map.h"

namespace everyitem::sink {

/// One answer to ListShards.
struct ShardPage {
  std::vector<batch::Shard> open;  ///< those that take records
  std::string next_token;          ///< empty on the last page
};

/// Throws aws::MalformedResponse if `body` is not such an answer.
ShardPage parse_shard_page(std::string_view body, Wire wire);

/// The shards that are open now. Throws Error, also if the listed shards do not cover the whole
/// stream, which can happen while it is being resharded. `patience`: per page.
Awaitable<batch::ShardMap> list_shards(aws::Client& kinesis, Wire wire, batch::StreamId stream,
                                       aws::Patience patience);

}  // namespace everyitem::sink
