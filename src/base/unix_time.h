// Times that come from outside, as counts since 1970, within the range of the system clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace everyitem {

/// In nanoseconds, the unit of the system clock, times end in the year 2262.
inline constexpr std::chrono::sys_days kLastUnixTime{std::chrono::year{2200} / 1 / 1};

/// The time this many `Unit`s, seconds or milliseconds, after 1970. A time before 1970 or after
/// kLastUnixTime becomes the nearer of the two.
template <typename Unit>
std::chrono::system_clock::time_point unix_time(std::int64_t count) {
  constexpr Unit kLast = kLastUnixTime.time_since_epoch();
  return std::chrono::system_clock::time_point(
      Unit(std::clamp<std::int64_t>(count, 0, kLast.count())));
}

}  // namespace everyitem
