// A stream's shards, each sent what it takes, and listed again when they turn out to be others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/on_loop.h"
#include "sink/put_records_result.h"
#include "sink/shard_pace.h"
#include "sink/shard_watch.h"

namespace everyitem::sink {

/// What a KinesisSink asks before it sends, and tells of what it sent. From any event loop: the
/// work is done on one of them.
class PacedShards {
 public:
  /// `shards` is kept up to date. It and the clock outlive this. `mode`: not `not_told`. `list` is
  /// called on the loop of `executor`.
  PacedShards(asio::any_io_executor executor, Clock& clock, batch::CurrentShards& shards,
              StreamMode mode, ShardWatch::List list)
      : executor_(std::move(executor)),
        pace_(executor_, clock, shards, mode),
        watch_(shards, clock, std::move(list)) {}

  /// As ShardPace::take.
  Awaitable<RecordIndexes> take(ShardShare& share, RecordIndexes& pending) {
    return on_loop(executor_, pace_.take(share, pending));
  }

  /// What was taken last has been answered so; `share` knows which shards took it.
  Awaitable<void> settle(ShardShare& share, std::span<const std::uint32_t> sent,
                         const PutRecordsResult& result) {
    return on_loop(executor_, settle_here(share, sent, result));
  }

 private:
  Awaitable<void> settle_here(ShardShare& share, std::span<const std::uint32_t> sent,
                              const PutRecordsResult& result);

  asio::any_io_executor executor_;
  ShardPace pace_;
  ShardWatch watch_;
};

/// Tells the user how fast a stream of so many shards will be filled.
std::string pacing_text(std::size_t shards, StreamMode mode);

}  // namespace everyitem::sink
