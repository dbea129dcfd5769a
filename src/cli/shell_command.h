// A command line as text that can be pasted into a shell.
#pragma once

#include <string>
#include <vector>

namespace everyitem::cli {

/// A command as a shell takes it: arguments are quoted where that is needed.
std::string shell_command(const std::vector<std::string>& arguments);

}  // namespace everyitem::cli
