// Numbers formatted for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace everyitem {

/// 1234567 is "1,234,567".
std::string grouped(std::uint64_t number);

/// As exact as people need it: "12,345", "50", "1.967", "0.0042". Not negative.
std::string decimal(double number);

/// "1 item", "2 items".
std::string counted(std::uint64_t number, std::string_view noun);

/// Decimal units, as AWS bills them: "999 B", "1.2 kB", "34.5 MB".
std::string bytes(double number);

/// "0.44 s", "4.4 s", "59 s", "2 min 5 s", "3 h 4 min", "2 d 5 h".
std::string duration(std::chrono::duration<double> time);

}  // namespace everyitem
