// Asks Kinesis which shards a stream has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/client.h"
#include "base/wire.h"
#include "batch/put_records_format.h"
#include "batch/shard_map.h"

namespace everyitem::sink {

/// One answer of ListShards.
struct ShardPage {
  std::vector<batch::Shard> open;  ///< those that take records
  std::string next_token;          ///< empty on the last page
};

/// Throws aws::MalformedResponse where it is no such answer.
ShardPage parse_shard_page(std::string_view body, Wire wire);

/// The shards that are open now. Throws Error: also where those that are told do not make a whole
/// stream, as may be while it is being resharded.
Awaitable<batch::ShardMap> list_shards(aws::Client& kinesis, Wire wire, batch::StreamId stream);

}  // namespace everyitem::sink
