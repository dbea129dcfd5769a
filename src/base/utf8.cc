#include "base/utf8.h"

namespace everyitem {

Utf8Character first_character(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  if (byte(0) < 0x80) {
    return {.bytes = 1, .code_point = byte(0)};
  }
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) {
    return {};
  }
  char32_t character = byte(0) & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return {};
    }
    character = character << 6 | (byte(i) & 0x3f);
  }
  const char32_t smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < smallest || character > 0x10ffff || surrogate) {
    return {};
  }
  return {.bytes = length, .code_point = character};
}

}  // namespace everyitem
