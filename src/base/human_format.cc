#include "base/human_format.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace everyitem {

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t place = text.size(); place > 3;) {
    place -= 3;
    text.insert(place, ",");
  }
  return text;
}

std::string decimal(double number) {
  return number < 1000 ? fmt::format("{:.4g}", number)
                       : grouped(static_cast<std::uint64_t>(std::llround(number)));
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string bytes(double number) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (number < 1000) {
    return fmt::format("{:.0f} B", number);
  }
  std::size_t unit = 0;
  for (number /= 1000; number >= 999.95 && unit + 1 < kUnits.size(); ++unit) {
    number /= 1000;
  }
  return fmt::format("{:.1f} {}", number, kUnits.at(unit));
}

std::string duration(std::chrono::duration<double> time) {
  if (time.count() < 0.995) {
    return fmt::format("{:.2f} s", time.count());
  }
  if (time.count() < 9.95) {
    return fmt::format("{:.1f} s", time.count());
  }
  const auto seconds = static_cast<std::uint64_t>(std::llround(time.count()));
  if (seconds < 60) {
    return fmt::format("{} s", seconds);
  }
  if (seconds < 3600) {
    return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  }
  if (seconds < 86400) {
    return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  }
  return fmt::format("{} d {} h", seconds / 86400, seconds % 86400 / 3600);
}

}  // namespace everyitem
