// Damages a text at random, for tests of code that parses outside input.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace everyitem {

/// `text` with one to four random errors: bytes changed, inserted, removed or duplicated, or the
/// end cut off. The same seed gives the same text.
inline std::string mutated(std::string text, std::uint64_t seed) {
  constexpr std::string_view kSignificantBytes = "{}[]\",:\\ 0-e\n\x01\x7f\x80\xff\xc3";
  std::mt19937_64 engine(seed);
  const auto below = [&](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine);
  };
  for (std::size_t errors = 1 + below(4); errors > 0 && !text.empty(); --errors) {
    const std::size_t at = below(text.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(text.size() - at, 40));
    const char significant = kSignificantBytes[below(kSignificantBytes.size())];
    switch (below(6)) {
      case 0:
        text[at] = significant;
        break;
      case 1:
        text[at] = static_cast<char>(below(256));
        break;
      case 2:
        text.insert(at, 1, significant);
        break;
      case 3:
        text.erase(at, length);
        break;
      case 4:
        text.insert(at, text.substr(at, length));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

}  // namespace everyitem
