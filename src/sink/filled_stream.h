// What the sinks that fill one stream share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "sink/paced_shards.h"

namespace everyitem::sink {

/// Filled by one sink per event loop; outlives them.
struct FilledStream {
  std::string name;
  std::uint32_t open_shards = 0;  ///< 0: unknown
  std::size_t sinks = 1;          ///< that share the batches in flight
  PacedShards* shards = nullptr;  ///< paces what is sent; null: all is sent at once
  /// It has accepted a record of the run, perhaps from an earlier process.
  std::atomic<bool> accepted_any = false;
};

}  // namespace everyitem::sink
