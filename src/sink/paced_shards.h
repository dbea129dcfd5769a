// A stream's shards, each sent what it takes, and listed again when they turn out to be others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "sink/put_records_result.h"
#include "sink/shard_pace.h"
#include "sink/shard_watch.h"

namespace everyitem::sink {

/// What a KinesisSink asks before it sends, and tells of what it sent. One event loop.
class PacedShards {
 public:
  /// `shards` is kept up to date. It and the clock outlive this. `mode`: not `not_told`.
  PacedShards(const asio::any_io_executor& executor, Clock& clock, batch::CurrentShards& shards,
              StreamMode mode, ShardWatch::List list)
      : pace_(executor, clock, shards, mode), watch_(shards, clock, std::move(list)) {}

  /// As ShardPace::take.
  Awaitable<RecordIndexes> take(ShardShare& share, RecordIndexes& pending) {
    return pace_.take(share, pending);
  }

  /// This record of what was taken last is in the shard of this id.
  void taken_by(const ShardShare& share, std::uint32_t record, std::string_view id) {
    watch_.taken_by(*share.version, share.shards[record], id);
  }

  /// What was taken last has been answered so.
  Awaitable<void> settle(const ShardShare& share, std::span<const std::uint32_t> sent,
                         const PutRecordsResult& result);

 private:
  ShardPace pace_;
  ShardWatch watch_;
};

/// Tells the user how fast a stream of so many shards will be filled.
std::string pacing_text(std::size_t shards, StreamMode mode);

}  // namespace everyitem::sink
