// Times in ISO 8601, as sources of credentials write them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace everyitem::identity {

/// Reads "2026-11-24T10:00:00Z", optionally with fractions of a second (which are dropped) and with
/// an offset such as +01:00, +0100 or +01; older AWS tools write "UTC" instead of "Z". Returns
/// nothing for any other text, including a time without a zone. A time beyond the range of the
/// system clock, such as the year 9999 of keys that never expire, becomes the last one in its
/// range.
std::optional<std::chrono::system_clock::time_point> parse_iso_time(std::string_view text);

/// "2026-11-24T10:00:00Z".
std::string format_iso_time(std::chrono::system_clock::time_point time);

}  // namespace everyitem::identity
