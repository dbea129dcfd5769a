// Text from outside as a terminal or a log may show it.
#pragma once

#include <string>
#include <string_view>

namespace everyitem {

/// `text` as valid UTF-8 on one line, without anything that moves a cursor, changes the direction
/// of writing or cannot be seen. White space becomes a space, what is not UTF-8 becomes U+FFFD, and
/// every other control or format character becomes its escape in JSON: "\u001b". A line of JSON
/// keeps its meaning, because only its strings have such characters.
///
/// Whatever is shown passes through here where it leaves the program, and nowhere else.
std::string printable(std::string_view text);

}  // namespace everyitem
