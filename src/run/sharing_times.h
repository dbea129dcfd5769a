// How often processes that share a run tell, hear, look and claim. All of a run's items are in one
// partition of the checkpoint table, which serves 3,000 read units and 1,000 write units per
// second: these times keep all of them together below that, however many they are. See
// docs/adr/2026-11-28-shared-runs-at-scale.md.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace everyitem::run {

/// How often each of `sharers` tells the others that it is there: all together ten times per
/// second, each at most once.
constexpr std::chrono::milliseconds sharing_turn(std::size_t sharers) {
  return std::max(std::chrono::milliseconds(1000),
                  std::chrono::milliseconds(100) * static_cast<std::int64_t>(sharers));
}
/// How often each of `listeners` hears of all `sharers`, which costs a read unit for about 18 of
/// them: all together 3,333 of them per second, 185 units. What one that leaves has left unread,
/// and its part of the read rate, stays unused for about this long.
constexpr std::chrono::milliseconds hearing_time(std::size_t listeners, std::size_t sharers) {
  return std::max(
      sharing_turn(listeners),
      std::chrono::milliseconds(3 * static_cast<std::int64_t>(listeners * sharers) / 10));
}
/// Parts that one look finds out about, of a run that has more: 25 to 45 read units.
inline constexpr std::uint32_t kPartsPerLook = 512;
/// How often each of `sharers` looks at this many parts: all together at most at 5,000 parts per
/// second, 250 to 450 read units, and each at most at 1,000. A partition of the checkpoint table,
/// which has all items of the run, serves 3,000 units.
constexpr std::chrono::milliseconds look_time(std::size_t sharers, std::uint32_t parts) {
  const std::int64_t seen = parts;
  return std::max(sharing_turn(sharers), std::chrono::milliseconds(std::max(
                                             seen, seen * static_cast<std::int64_t>(sharers) / 5)));
}
/// How long each of `sharers` lets pass between two claims: all together make 250 per second, of
/// the 1,000 writes that the partition takes.
constexpr std::chrono::milliseconds claim_pause(std::size_t sharers) {
  return std::chrono::milliseconds(4) * static_cast<std::int64_t>(sharers);
}
/// One that the others have not heard of for this long is gone: its parts are theirs. Five turns
/// may fail.
constexpr std::chrono::milliseconds lease_time(std::size_t sharers) {
  return std::max(std::chrono::milliseconds(30'000), 6 * sharing_turn(sharers));
}
/// One that could not tell them anything for this long stops reading until it can. Shorter, so that
/// its part of the read rate is not used twice. `lease`: as the others know it.
constexpr std::chrono::milliseconds claim_life(std::chrono::milliseconds lease) {
  return lease * 2 / 3;
}

}  // namespace everyitem::run
