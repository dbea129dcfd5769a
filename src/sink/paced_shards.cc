#include "sink/paced_shards.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/human_format.h"
#include "batch/kinesis_limits.h"

namespace everyitem::sink {

Awaitable<void> PacedShards::settle_here(ShardShare& share, std::span<const std::uint32_t> sent,
                                         const PutRecordsResult& result) {
  // What fails for another reason says nothing of the pace.
  std::span<const std::uint32_t> too_much;
  if (result.only_throttled) {
    too_much = result.failed;
  }
  pace_.settle(share, sent, too_much);
  if (std::exchange(share.contradicted, false)) {
    watch_.contradicted(share.map);
  }
  co_await watch_.refresh();
}

std::string pacing_text(std::size_t shards, StreamMode mode) {
  const double all = static_cast<double>(shards);
  const std::string rate =
      fmt::format("{} MiB and {} records a second",
                  grouped(std::llround(all * batch::kShardBytesPerSecond / (1U << 20))),
                  grouped(std::llround(all * batch::kShardRecordsPerSecond)));
  const std::string has = fmt::format("the stream has {}", counted(shards, "shard"));
  return mode == StreamMode::on_demand
             ? fmt::format("{}, and more on demand: paced to {} at first, to more as it takes more",
                           has, rate)
             : fmt::format("{}: paced to {}", has, rate);
}

}  // namespace everyitem::sink
