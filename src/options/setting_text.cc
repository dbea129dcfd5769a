#include "options/setting_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "aws/arn.h"
#include "base/error.h"
#include "base/human_format.h"
#include "options/suggestion.h"

namespace everyitem::options {

namespace {

Error refused(SettingId id, std::string_view text, Message wanted) {
  return usage_error(id + fmt::format(" is \"{}\"", text), std::move(wanted));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Removes the digits that `text` begins with, and returns them.
std::string_view take_digits(std::string_view& text) {
  const std::size_t count =
      std::min(text.size(),
               static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin()));
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take(std::string_view& text, std::string_view word) {
  const bool found = text.starts_with(word);
  text.remove_prefix(found ? word.size() : 0);
  return found;
}

void trim(std::string_view& text) {
  while (text.starts_with(' ')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ')) {
    text.remove_suffix(1);
  }
}

/// Digits, all of them or in groups of three: "1000", "1,000".
std::optional<std::string> take_whole(std::string_view& text) {
  std::string digits(take_digits(text));
  if (digits.empty() || digits.size() > 3) {
    return digits.empty() ? std::nullopt : std::optional(digits);
  }
  while (take(text, ",")) {
    const std::string_view group = take_digits(text);
    if (group.size() != 3) {
      return std::nullopt;
    }
    digits += group;
  }
  return digits;
}

/// "1,000", "0.5", "2.5k".
std::optional<double> parse_number(std::string_view text) {
  std::optional<std::string> digits = take_whole(text);
  if (digits && take(text, ".")) {
    const std::string_view fraction = take_digits(text);
    if (fraction.empty()) {
      return std::nullopt;
    }
    *digits += fmt::format(".{}", fraction);
  }
  if (!digits) {
    return std::nullopt;
  }
  const std::string_view exponent = take(text, "k") || take(text, "K") ? "e3"
                                    : take(text, "M")                  ? "e6"
                                                                       : "";
  const std::string number = *digits + std::string(exponent);
  double value = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
  return text.empty() && parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

/// Shown where the limits leave room for them.
std::string number_forms(double max) {
  return max < 1000  ? ""
         : max < 1e6 ? ", such as 250, 1,000 or 5k"
                     : ", such as 250, 1,000, 5k or 2M";
}

struct Unit {
  std::chrono::seconds length;
  std::array<std::string_view, 5> names;
};

constexpr std::array kUnits = {
    Unit{std::chrono::hours(24), {"d", "day", "days"}},
    Unit{std::chrono::hours(1), {"h", "hr", "hrs", "hour", "hours"}},
    Unit{std::chrono::minutes(1), {"m", "min", "mins", "minute", "minutes"}},
    Unit{std::chrono::seconds(1), {"s", "sec", "secs", "second", "seconds"}},
};

/// "1h30m", "2 min": each unit at most once, the longest first. Seconds if there is no unit at all.
std::optional<std::chrono::seconds> duration_of(std::string_view text) {
  std::chrono::seconds sum(0);
  const auto* unit = kUnits.begin();
  const bool only_digits = !text.empty() && std::ranges::all_of(text, is_digit);
  do {
    const std::string_view digits = take_digits(text);
    std::int64_t value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    trim(text);
    const std::string_view name =
        text.substr(0, std::min(text.size(), text.find_first_of(" 0123456789")));
    unit = std::find_if(unit, kUnits.end(), [&](const Unit& each) {
      return only_digits ? each.length.count() == 1
                         : std::ranges::find(each.names, name) != each.names.end();
    });
    if (digits.empty() || parsed.ec != std::errc() || unit == kUnits.end() ||
        (name.empty() && !only_digits) ||
        value > (std::chrono::seconds::max() - sum) / unit->length) {
      return std::nullopt;
    }
    sum += value * unit->length;
    ++unit;
    text.remove_prefix(name.size());
    trim(text);
  } while (!text.empty());
  return sum;
}

}  // namespace

std::uint64_t parse_count(SettingId id, std::string_view text, std::uint64_t min,
                          std::uint64_t max) {
  const auto value = parse_number(text);
  if (!value || *value != std::floor(*value) || *value < static_cast<double>(min) ||
      *value > static_cast<double>(max)) {
    throw refused(id, text,
                  fmt::format("Give a whole number from {} to {}{}.", grouped(min), grouped(max),
                              number_forms(static_cast<double>(max))));
  }
  return static_cast<std::uint64_t>(*value);
}

double parse_amount(SettingId id, std::string_view text, double max) {
  const auto value = parse_number(text);
  if (!value || !(*value > 0 && *value <= max)) {
    throw refused(id, text,
                  fmt::format("Give a number above 0, at most {:.10g}{}.", max, number_forms(max)));
  }
  return *value;
}

double parse_percent(SettingId id, std::string_view text) {
  std::string_view digits = text;
  if (digits.ends_with('%')) {
    digits.remove_suffix(1);
    trim(digits);
  }
  const auto value = parse_number(digits);
  if (!value || !(*value > 0 && *value <= 100)) {
    throw refused(id, text, "Give a percentage above 0, at most 100, such as 25 or 0.5%.");
  }
  return *value;
}

std::chrono::seconds parse_duration(SettingId id, std::string_view text, std::chrono::seconds max) {
  const auto value = duration_of(text);
  if (!value || value->count() < 1 || *value > max) {
    throw refused(
        id, text,
        fmt::format(
            "Give a time from 1 s to {}, such as 45s, 10m or 1h30m; a number alone is seconds.",
            duration(max)));
  }
  return *value;
}

bool parse_switch(SettingId id, std::string_view text) {
  if (text != "true" && text != "false") {
    throw refused(id, text, "Give true or false.");
  }
  return text == "true";
}

std::string parse_role(SettingId id, std::string_view text) {
  const aws::Arn arn = aws::parse_arn(text, id);
  constexpr std::string_view kType = "role/";
  if (arn.service != "iam" || !arn.resource.starts_with(kType) || arn.resource == kType) {
    throw refused(id, text, "Give the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME.");
  }
  return std::string(text);
}

std::size_t parse_choice(SettingId id, std::string_view text,
                         std::initializer_list<std::string_view> choices) {
  const auto* const chosen = std::ranges::find(choices, text);
  if (chosen == choices.end()) {
    const std::optional<std::string> meant = nearest(text, {choices.begin(), choices.end()});
    throw refused(
        id, text,
        fmt::format("{}Give one of: {}.", meant ? fmt::format("Did you mean {}? ", *meant) : "",
                    fmt::join(choices, ", ")));
  }
  return static_cast<std::size_t>(chosen - choices.begin());
}

}  // namespace everyitem::options
