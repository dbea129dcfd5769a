// A stream as those who fill it share it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "sink/paced_shards.h"

namespace everyitem::sink {

/// Filled by one sink an event loop; outlives them.
struct FilledStream {
  std::string name;
  std::uint32_t open_shards = 0;  ///< 0: not known
  std::size_t sinks = 1;          ///< that share what may be under way
  PacedShards* shards = nullptr;  ///< paces what is sent; null: it is sent at once
  /// It has taken a record of the run, be it from an earlier process.
  std::atomic<bool> took_some = false;
};

}  // namespace everyitem::sink
