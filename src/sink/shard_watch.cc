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
    // What is known is still good enough to pace by, and is contradicted again soon.
  }
  contradicted_ = false;
  listed_ = clock_.now();
  listing_ = false;
}

}  // namespace everyitem::sink
