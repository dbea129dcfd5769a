#include "base/printable.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

#include "base/utf8.h"

namespace everyitem {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

/// Categories Cc, Cf, Zl and Zp of Unicode 15, with what it keeps free for more of Cf, and
/// characters that are never assigned. Rising.
constexpr std::array kUnprintable = {
    Range{0x00, 0x1f},       Range{0x7f, 0x9f},       Range{0xad, 0xad},
    Range{0x600, 0x605},     Range{0x61c, 0x61c},     Range{0x6dd, 0x6dd},
    Range{0x70f, 0x70f},     Range{0x890, 0x891},     Range{0x8e2, 0x8e2},
    Range{0x180e, 0x180e},   Range{0x200b, 0x200f},   Range{0x2028, 0x202e},
    Range{0x2060, 0x206f},   Range{0xfdd0, 0xfdef},   Range{0xfeff, 0xfeff},
    Range{0xfff0, 0xfffb},   Range{0xfffe, 0xffff},   Range{0x110bd, 0x110bd},
    Range{0x110cd, 0x110cd}, Range{0x13430, 0x1343f}, Range{0x1bca0, 0x1bca3},
    Range{0x1d173, 0x1d17a}, Range{0xe0000, 0xe0fff},
};

bool is_printable(char32_t character) {
  const auto* const range =
      std::ranges::lower_bound(kUnprintable, character, {}, [](const Range& r) { return r.last; });
  const bool listed = range != kUnprintable.end() && range->first <= character;
  return !listed && (character & 0xfffe) != 0xfffe;  // the last two of each plane
}

bool is_white_space(char32_t character) { return character >= '\t' && character <= '\r'; }

/// As JSON writes it: in UTF-16.
std::string escaped(char32_t character) {
  if (character < 0x10000) {
    return fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character));
  }
  const auto above = static_cast<std::uint32_t>(character) - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (above >> 10), 0xdc00 + (above & 0x3ff));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    if (next.bytes == 0) {
      shown += "\xef\xbf\xbd";
    } else if (is_printable(next.code_point)) {
      shown += text.substr(0, next.bytes);
    } else {
      shown += is_white_space(next.code_point) ? " " : escaped(next.code_point);
    }
    text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
  }
  return shown;
}

}  // namespace everyitem
