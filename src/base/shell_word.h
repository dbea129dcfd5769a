// A text as a word of a shell's command line.
#pragma once

#include <string>
#include <string_view>

namespace everyitem {

/// In quotes where a shell would not take the text as it is, as one word.
std::string shell_word(std::string_view text);

}  // namespace everyitem
