// Times as the sources of credentials write them: ISO 8601.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace everyitem::identity {

/// Reads "2026-11-24T10:00:00Z", with fractions of a second (which are cut off) and with an offset
/// such as +01:00, +0100 or +01; older AWS tools write "UTC" for "Z". Nothing for any other text,
/// also for a time without a zone. A time that the system's clock cannot count to, such as the year
/// 9999 of keys that never expire, is the last one that it can.
std::optional<std::chrono::system_clock::time_point> parse_iso_time(std::string_view text);

/// "2026-11-24T10:00:00Z".
std::string format_iso_time(std::chrono::system_clock::time_point time);

}  // namespace everyitem::identity
