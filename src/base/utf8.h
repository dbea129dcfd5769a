// The characters of a text that may not be UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace everyitem {

struct Utf8Character {
  std::size_t bytes = 0;  ///< 0: the text does not begin with a character in UTF-8
  char32_t code_point = 0;
};

/// The one that `text`, which is not empty, begins with. Neither surrogates nor forms that are
/// longer than needed are UTF-8 (RFC 3629).
Utf8Character first_character(std::string_view text);

}  // namespace everyitem
