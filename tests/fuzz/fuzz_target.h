// Shared by the fuzz targets: splitting the input, and reporting failures.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace everyitem::fuzz {

/// Unless `holds`, ends the program with the reason; libFuzzer then keeps the input.
inline void require(bool holds, std::string_view invariant) {
  if (!holds) {
    std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(invariant.size()), invariant.data());
    std::abort();
  }
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Removes the first line from `rest` and returns it without its line break.
inline std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

/// Whether `part` lies within `whole`.
inline bool within(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace everyitem::fuzz
