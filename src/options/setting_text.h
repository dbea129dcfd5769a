// What the text of a setting means: one parser for each kind of value, for both doors. Each throws
// a usage error that names the setting, what was given, and what can be given.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/setting_id.h"

namespace everyitem::options {

/// A whole number from `min` to `max`, which is at most 2^53: "250", "1,000", "5k", "1.5M".
std::uint64_t parse_count(SettingId id, std::string_view text, std::uint64_t min,
                          std::uint64_t max);

/// A number above 0 and at most `max`: as for a count, and "0.5".
double parse_amount(SettingId id, std::string_view text, double max);

/// Above 0 and at most 100: "25", "0.5", "25%".
double parse_percent(SettingId id, std::string_view text);

/// "30s", "10m", "6h", "2d", "1h30m", "2 min", or seconds alone; from 1 s to `max`.
std::chrono::seconds parse_duration(SettingId id, std::string_view text, std::chrono::seconds max);

/// "true" or "false".
bool parse_switch(SettingId id, std::string_view text);

/// The ARN of a role.
std::string parse_role(SettingId id, std::string_view text);

/// One of `choices`: its index.
std::size_t parse_choice(SettingId id, std::string_view text,
                         std::initializer_list<std::string_view> choices);

}  // namespace everyitem::options
