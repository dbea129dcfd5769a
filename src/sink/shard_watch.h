// Notices that a stream's shards are others than was thought, and asks for them again.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "base/async.h"
#include "base/clock.h"
#include "batch/shard_map.h"

namespace everyitem::sink {

/// One event loop.
class ShardWatch {
 public:
  /// Asks the stream. May throw Error.
  using List = std::function<Awaitable<batch::ShardMap>()>;

  /// A stream is asked no more often: its answer may lag behind what its shards do.
  static constexpr std::chrono::seconds kApart{1};

  /// `shards` is replaced when it is contradicted. It and the clock outlive the watch.
  ShardWatch(batch::CurrentShards& shards, Clock& clock, List list)
      : shards_(shards), clock_(clock), list_(std::move(list)) {}

  /// A record was taken by another shard than the one that it belongs to by this map.
  void contradicted(const batch::ShardMapAtOneTime& map) {
    contradicted_ = contradicted_ || map == shards_.newest();
  }

  /// Lists the shards where the map has been contradicted, unless that was done within kApart or is
  /// being done. Where it fails the map stays: the stream sends each record where it belongs.
  Awaitable<void> refresh();

 private:
  batch::CurrentShards& shards_;
  Clock& clock_;
  List list_;
  bool contradicted_ = false;
  bool listing_ = false;
  std::optional<std::chrono::steady_clock::time_point> listed_;
};

}  // namespace everyitem::sink
