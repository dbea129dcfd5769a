// When a record may be sent, so that every shard of a stream is kept busy and refuses little. See
// docs/adr/2026-11-24-shard-pacing.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "batch/record_load.h"
#include "batch/shard_map.h"
#include "sink/shard_rate.h"

namespace everyitem::sink {

/// Indexes into a batch's records, rising.
using RecordIndexes = std::vector<std::uint32_t>;

/// A batch on its way to the shards of its records, from its first request to its last.
struct PacedBatch {
  explicit PacedBatch(std::vector<batch::RecordLoad> of_records) : loads(std::move(of_records)) {}

  /// The shard of this id accepted this record of the last part.
  void accepted_by(std::uint32_t record, std::string_view id) {
    contradicted = contradicted || map->shards()[shards[record]].id != id;
  }

  std::vector<batch::RecordLoad> loads;         ///< of all its records
  batch::ShardMapAtOneTime map;                 ///< null: the shards have not been looked up
  std::vector<std::uint32_t> shards;            ///< of all its records, according to the map
  bool contradicted = false;                    ///< the last part showed that the map is wrong
  std::optional<std::uint64_t> turn;            ///< its position in line, for all of its parts
  std::chrono::steady_clock::time_point taken;  ///< when its last part was taken
};

/// Shared by all senders. A sender takes the part of its batch that the shards have room for now,
/// sends it, settles it, and takes the next part, so that no record waits for another's full shard.
/// First come, first served. One event loop; outlives those who wait.
class ShardPace {
 public:
  /// `shards`: the newest map, which others replace. `mode`: not `unknown`. All of it outlives the
  /// pace.
  ShardPace(const asio::any_io_executor& executor, Clock& clock, const batch::CurrentShards& shards,
            StreamMode mode);

  /// Moves the records that may be sent now out of `pending`, which must not be empty. Waits until
  /// there is at least one. Throws boost::system::system_error(operation_aborted) if cancelled.
  Awaitable<RecordIndexes> take(PacedBatch& batch, RecordIndexes& pending);

  /// The result of records that were taken. `refused`: indexes into `sent` of those that were
  /// throttled. Records that must be sent again are taken again.
  void settle(const PacedBatch& batch, std::span<const std::uint32_t> sent,
              std::span<const std::uint32_t> refused);

  /// Of all shards together; 1 is one shard at its limits.
  double rate() const;

 private:
  /// A sender that waits in line for a part.
  class Waiter {
   public:
    Waiter(ShardPace& pace, PacedBatch& batch, RecordIndexes& pending);
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    PacedBatch& batch;
    RecordIndexes& pending;
    RecordIndexes taken = {};
    Event woken;

   private:
    ShardPace& pace_;
    std::list<Waiter*>::iterator position_;
  };

  void use_newest_map();
  void refill();
  void look_up(PacedBatch& batch) const;
  RecordIndexes take_allowed(PacedBatch& batch, RecordIndexes& pending);
  bool take_all(PacedBatch& batch, RecordIndexes& pending, RecordIndexes& taken);
  void serve();

  asio::any_io_executor executor_;
  Clock& clock_;
  const batch::CurrentShards& shards_;
  StreamMode mode_;
  batch::ShardMapAtOneTime map_;
  std::vector<ShardRate> rates_;  ///< of its shards
  std::list<Waiter*> line_;       ///< by turn
  std::uint64_t next_turn_ = 0;
  std::chrono::steady_clock::time_point next_serving_;
};

}  // namespace everyitem::sink
