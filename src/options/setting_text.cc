#include "options/setting_text.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/human_format.h"

namespace everyitem::options {

namespace {

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

Error refused(SettingId id, std::string_view text, Message wanted) {
  return usage_error(id + fmt::format(" is \"{}\"", text), std::move(wanted));
}

std::chrono::seconds seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::minutes(1);
    case 'h':
      return std::chrono::hours(1);
    case 'd':
      return std::chrono::hours(24);
    default:
      return std::chrono::seconds(0);
  }
}

}  // namespace

std::uint64_t parse_count(SettingId id, std::string_view text, std::uint64_t min,
                          std::uint64_t max) {
  const auto value = number<std::uint64_t>(text);
  if (!value || *value < min || *value > max) {
    throw refused(id, text,
                  fmt::format("Give a whole number from {} to {}.", grouped(min), grouped(max)));
  }
  return *value;
}

double parse_amount(SettingId id, std::string_view text, double max, std::string_view unit) {
  const auto value = number<double>(text);
  if (!value || !(*value > 0 && *value <= max)) {
    std::string wanted = fmt::format("Give a number above 0, at most {:.10g}", max);
    if (!unit.empty() && text.ends_with(unit)) {
      wanted += fmt::format(", without \"{}\"", unit);
    }
    throw refused(id, text, wanted + ".");
  }
  return *value;
}

std::chrono::seconds parse_duration(SettingId id, std::string_view text, std::chrono::seconds max) {
  std::string_view digits = text;
  std::chrono::seconds unit(1);
  if (!text.empty() && seconds_of_unit(text.back()).count() > 0) {
    unit = seconds_of_unit(text.back());
    digits.remove_suffix(1);
  }
  const auto value = number<std::int64_t>(digits);
  if (!value || *value < 1 || *value > max / unit) {
    throw refused(id, text,
                  fmt::format("Give one number with one unit, such as 45s, 10m, 6h or 2d; at most "
                              "{}.",
                              duration(max)));
  }
  return *value * unit;
}

bool parse_switch(SettingId id, std::string_view text) {
  if (text != "true" && text != "false") {
    throw refused(id, text, "Give true or false.");
  }
  return text == "true";
}

std::size_t parse_choice(SettingId id, std::string_view text,
                         std::initializer_list<std::string_view> choices) {
  const auto* chosen = std::ranges::find(choices, text);
  if (chosen == choices.end()) {
    throw refused(id, text, fmt::format("Give one of: {}.", fmt::join(choices, ", ")));
  }
  return static_cast<std::size_t>(chosen - choices.begin());
}

}  // namespace everyitem::options
