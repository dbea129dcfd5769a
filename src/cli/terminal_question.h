// Asks the one who sits at the terminal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace everyitem::cli {

/// The line that is typed, which is not shown, whatever standard input and output are. Nothing if
/// the process has no terminal, or its user ends the input. Blocks. An interrupt is passed on.
std::optional<std::string> ask_on_terminal(std::string_view question);

}  // namespace everyitem::cli
