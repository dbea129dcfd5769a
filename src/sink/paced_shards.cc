#include "sink/paced_shards.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"
#include "batch/kinesis_limits.h"

namespace everyitem::sink {

Awaitable<void> PacedShards::settle_here(PacedBatch& batch, std::span<const std::uint32_t> sent,
                                         const PutRecordsResult& result) {
  // Failures for other reasons say nothing about the pace.
  std::span<const std::uint32_t> too_much;
  if (result.only_throttled) {
    too_much = result.failed;
  }
  pace_.settle(batch, sent, too_much);
  if (std::exchange(batch.contradicted, false)) {
    watch_.contradicted(batch.map);
  }
  co_await watch_.refresh();
}

std::string pacing_text(std::size_t shards, StreamMode mode) {
  const double all = static_cast<double>(shards);
  const std::string rate =
      fmt::format("{} MiB and {} records per second",
                  grouped(std::llround(all * batch::kShardBytesPerSecond / (1U << 20))),
                  grouped(std::llround(all * batch::kShardRecordsPerSecond)));
  const std::string has = fmt::format("the stream has {}", counted(shards, "shard"));
  return mode == StreamMode::on_demand
             ? fmt::format(
                   "{}, and scales on demand: sending at most {} at first, more as it grows", has,
                   rate)
             : fmt::format("{}: sending at most {}", has, rate);
}

}  // namespace everyitem::sink
