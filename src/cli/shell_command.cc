#include "cli/shell_command.h"

#include <algorithm>
#include <string_view>

namespace everyitem::cli {

std::string shell_command(const std::vector<std::string>& arguments) {
  const auto harmless = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("-_./:=@%+,").find(static_cast<char>(c)) != std::string_view::npos;
  };
  std::string command;
  for (const std::string& argument : arguments) {
    if (!command.empty()) {
      command += ' ';
    }
    if (!argument.empty() && std::ranges::all_of(argument, harmless)) {
      command += argument;
      continue;
    }
    command += '\'';
    for (const char c : argument) {
      command += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    command += '\'';
  }
  return command;
}

}  // namespace everyitem::cli
