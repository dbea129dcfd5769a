// When a record may be sent: so that each shard of a stream is kept busy and refuses little. See
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

/// Into a batch's records, rising.
using RecordIndexes = std::vector<std::uint32_t>;

/// What one batch wants of its shards, from its first request to its last.
struct ShardShare {
  explicit ShardShare(std::vector<batch::RecordLoad> of_records) : loads(std::move(of_records)) {}

  /// The shard of this id accepted this record of the last part.
  void accepted_by(std::uint32_t record, std::string_view id) {
    contradicted = contradicted || map->shards()[shards[record]].id != id;
  }

  std::vector<batch::RecordLoad> loads;         ///< of all its records
  batch::ShardMapAtOneTime map;                 ///< null: they have not been looked up
  std::vector<std::uint32_t> shards;            ///< of all its records, by that map
  bool contradicted = false;                    ///< the map, by what became of the last part
  std::optional<std::uint64_t> turn;            ///< in line; the same for whatever it sends
  std::chrono::steady_clock::time_point taken;  ///< when its last part was
};

/// Shared by all who send. Who has a batch takes of it what its shards have room for now, sends
/// that, settles, and takes the next part: none waits for a shard that others hold up. Who began
/// first is served first. One event loop; outlives whoever waits.
class ShardPace {
 public:
  /// `shards`: the newest map, which others replace. `mode`: not `not_told`. All outlive the pace.
  ShardPace(const asio::any_io_executor& executor, Clock& clock, const batch::CurrentShards& shards,
            StreamMode mode);

  /// Moves out of `pending`, which is not empty, what may be sent now: at least one record, and
  /// waits for that. Throws boost::system::system_error(operation_aborted) when cancelled.
  Awaitable<RecordIndexes> take(ShardShare& share, RecordIndexes& pending);

  /// What was taken has been answered; `refused`: the places in `sent` of what was too much. A
  /// record that is to be sent again is taken again.
  void settle(const ShardShare& share, std::span<const std::uint32_t> sent,
              std::span<const std::uint32_t> refused);

  /// Of all shards together, in shards at their limits.
  double rate() const;

 private:
  /// Who waits for a part, in its place in the line.
  class Waiter {
   public:
    Waiter(ShardPace& pace, ShardShare& share, RecordIndexes& pending);
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    ShardShare& share;
    RecordIndexes& pending;
    RecordIndexes taken = {};
    Event woken;

   private:
    ShardPace& pace_;
    std::list<Waiter*>::iterator position_;
  };

  void use_newest_map();
  void refill();
  void look_up(ShardShare& share) const;
  RecordIndexes take_what_there_is(ShardShare& share, RecordIndexes& pending);
  bool take_all(ShardShare& share, RecordIndexes& pending, RecordIndexes& taken);
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
