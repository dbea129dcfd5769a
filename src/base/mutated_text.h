// Text with a few accidents, for tests of what reads bytes from outside.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace everyitem {

/// `text` after one to four accidents: bytes changed, inserted, removed, doubled, or an end that is
/// cut off. The same seed gives the same text.
inline std::string mutated(std::string text, std::uint64_t seed) {
  constexpr std::string_view kTellingBytes = "{}[]\",:\\ 0-e\n\x01\x7f\x80\xff\xc3";
  std::mt19937_64 engine(seed);
  const auto below = [&](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine);
  };
  for (std::size_t accidents = 1 + below(4); accidents > 0 && !text.empty(); --accidents) {
    const std::size_t at = below(text.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(text.size() - at, 40));
    const char telling = kTellingBytes[below(kTellingBytes.size())];
    switch (below(6)) {
      case 0:
        text[at] = telling;
        break;
      case 1:
        text[at] = static_cast<char>(below(256));
        break;
      case 2:
        text.insert(at, 1, telling);
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
