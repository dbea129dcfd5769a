#include "sink/shard_watch.h"

#include "base/error.h"

namespace everyitem::sink {

Awaitable<void> ShardWatch::refresh() {
  if (!contradicted_ || listing_ || (listed_ && clock_.now() < *listed_ + kApart)) {
    co_return;
  }
  listing_ = true;
  try {
    batch::ShardMap map = co_await list_();
    if (map != *shards_.newest()) {
      shards_.replace(std::move(map));
    }
  } catch (const Error&) {
    // The old map is good enough to pace by, and will soon be contradicted again.
  }
  contradicted_ = false;
  listed_ = clock_.now();
  listing_ = false;
}

}  // namespace everyitem::sink
