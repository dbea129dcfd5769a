// Sends each shard of a stream only what it takes, and lists the shards again when they have
// changed.
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

/// Asked by every KinesisSink before it sends, and informed of the outcome. Called from any event
/// loop; the work is done on one of them.
class PacedShards {
 public:
  /// Keeps `shards` up to date. It and the clock outlive this. `mode`: not `unknown`. `list` is
  /// called on the loop of `executor`.
  PacedShards(asio::any_io_executor executor, Clock& clock, batch::CurrentShards& shards,
              StreamMode mode, ShardWatch::List list)
      : executor_(std::move(executor)),
        pace_(executor_, clock, shards, mode),
        watch_(shards, clock, std::move(list)) {}

  /// As ShardPace::take.
  Awaitable<RecordIndexes> take(PacedBatch& batch, RecordIndexes& pending) {
    return on_loop(executor_, pace_.take(batch, pending));
  }

  /// The result of the records taken last. `batch` knows which shards accepted them.
  Awaitable<void> settle(PacedBatch& batch, std::span<const std::uint32_t> sent,
                         const PutRecordsResult& result) {
    return on_loop(executor_, settle_here(batch, sent, result));
  }

 private:
  Awaitable<void> settle_here(PacedBatch& batch, std::span<const std::uint32_t> sent,
                              const PutRecordsResult& result);

  asio::any_io_executor executor_;
  ShardPace pace_;
  ShardWatch watch_;
};

/// How fast a stream of `shards` shards will be filled, for the user.
std::string pacing_text(std::size_t shards, StreamMode mode);

}  // namespace everyitem::sink
