#include "identity/iso_time.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace everyitem::identity {

namespace {

using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::system_clock;

// In nanoseconds, the unit of the system clock, times range from 1678 to 2262.
constexpr sys_days kFirst{std::chrono::year{1700} / 1 / 1};
constexpr sys_days kLast{std::chrono::year{2200} / 1 / 1};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Parses a text from the start. Once something does not match, it stays failed.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool failed() const { return failed_; }
  bool at_end() const { return text_.empty(); }

  /// Exactly `digits` digits, with a value in [low, high].
  int number(std::size_t digits, int low, int high) {
    const std::string_view part = text_.substr(0, digits);
    if (part.size() != digits || !std::ranges::all_of(part, is_digit)) {
      return fail();
    }
    text_.remove_prefix(digits);
    int value = 0;
    for (const char c : part) {
      value = 10 * value + (c - '0');
    }
    return value < low || value > high ? fail() : value;
  }

  /// One of these characters.
  void one_of(std::string_view characters) {
    if (text_.empty() || characters.find(text_.front()) == std::string_view::npos) {
      fail();
      return;
    }
    text_.remove_prefix(1);
  }

  bool take(std::string_view word) {
    const bool is_next = text_.starts_with(word);
    text_.remove_prefix(is_next ? word.size() : 0);
    return is_next;
  }

  /// At least one digit.
  void skip_digits() {
    const std::size_t end = std::min(text_.find_first_not_of("0123456789"), text_.size());
    if (end == 0) {
      fail();
    }
    text_.remove_prefix(end);
  }

 private:
  int fail() {
    failed_ = true;
    return 0;
  }

  std::string_view text_;
  bool failed_ = false;
};

/// The offset to subtract to get UTC.
seconds take_zone(Reader& reader) {
  if (reader.take("Z") || reader.take("z") || reader.take("UTC")) {
    return seconds(0);
  }
  const bool is_west = reader.take("-");
  if (!is_west) {
    reader.one_of("+");
  }
  const std::chrono::hours hours(reader.number(2, 0, 23));
  std::chrono::minutes minutes(0);
  if (!reader.at_end()) {
    reader.take(":");
    minutes = std::chrono::minutes(reader.number(2, 0, 59));
  }
  const seconds offset = hours + minutes;
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<system_clock::time_point> parse_iso_time(std::string_view text) {
  Reader reader(text);
  const std::chrono::year year(reader.number(4, 0, 9999));
  reader.one_of("-");
  const std::chrono::month month(static_cast<unsigned>(reader.number(2, 1, 12)));
  reader.one_of("-");
  const std::chrono::day day(static_cast<unsigned>(reader.number(2, 1, 31)));
  reader.one_of("Tt ");
  const std::chrono::hours hours(reader.number(2, 0, 23));
  reader.one_of(":");
  const std::chrono::minutes minutes(reader.number(2, 0, 59));
  reader.one_of(":");
  const seconds second(reader.number(2, 0, 60));  // 60: a leap second
  if (reader.take(".")) {
    reader.skip_digits();
  }
  const seconds offset = take_zone(reader);
  const std::chrono::year_month_day date = year / month / day;
  if (reader.failed() || !reader.at_end() || !date.ok()) {
    return std::nullopt;
  }
  const sys_seconds time = sys_seconds(sys_days(date)) + hours + minutes + second - offset;
  return std::clamp<sys_seconds>(time, kFirst, kLast);
}

std::string format_iso_time(system_clock::time_point time) {
  const sys_days day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace everyitem::identity
