#include "sink/paced_shards.h"

#include <gtest/gtest.h>

namespace everyitem::sink {
namespace {

TEST(PacingText, SaysHowMuch) {
  EXPECT_EQ(pacing_text(1, StreamMode::provisioned),
            "the stream has 1 shard: sending at most 1 MiB and 1,000 records per second");
  EXPECT_EQ(pacing_text(40, StreamMode::provisioned),
            "the stream has 40 shards: sending at most 40 MiB and 40,000 records per second");
  EXPECT_EQ(
      pacing_text(4, StreamMode::on_demand),
      "the stream has 4 shards, and scales on demand: sending at most 4 MiB and 4,000 records "
      "per second at first, more as it grows");
}

}  // namespace
}  // namespace everyitem::sink
