// What the text of a setting means. Each throws a usage error that names the setting, what was
// given, and what can be given.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/setting_id.h"

namespace everyitem::options {

/// A whole number from `min` to `max`.
std::uint64_t parse_count(SettingId id, std::string_view text, std::uint64_t min,
                          std::uint64_t max);

/// A number above 0 and at most `max`. `unit` is what the user may have written after it, for the
/// message: "%".
double parse_amount(SettingId id, std::string_view text, double max, std::string_view unit = {});

/// "30s", "10m", "6h", "2d", or seconds alone; from 1 s to `max`.
std::chrono::seconds parse_duration(SettingId id, std::string_view text, std::chrono::seconds max);

/// "true" or "false".
bool parse_switch(SettingId id, std::string_view text);

/// One of `choices`: its index.
std::size_t parse_choice(SettingId id, std::string_view text,
                         std::initializer_list<std::string_view> choices);

}  // namespace everyitem::options
