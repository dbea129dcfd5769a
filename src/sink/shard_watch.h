// Notices when a stream's shards have changed, and lists them again.
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
  /// Lists the stream's shards. May throw Error.
  using List = std::function<Awaitable<batch::ShardMap>()>;

  /// Minimum time between two lists: the service's answer may lag behind.
  static constexpr std::chrono::seconds kApart{1};

  /// Replaces `shards` after it was contradicted. It and the clock outlive the watch.
  ShardWatch(batch::CurrentShards& shards, Clock& clock, List list)
      : shards_(shards), clock_(clock), list_(std::move(list)) {}

  /// A record was accepted by another shard than this map says.
  void contradicted(const batch::ShardMapAtOneTime& map) {
    contradicted_ = contradicted_ || map == shards_.newest();
  }

  /// Lists the shards if the map has been contradicted, unless that was done within kApart or is
  /// under way. If it fails, the map stays as it is: the stream routes each record correctly
  /// anyway.
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
