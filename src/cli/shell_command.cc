#include "cli/shell_command.h"

#include "base/shell_word.h"

namespace everyitem::cli {

std::string shell_command(const std::vector<std::string>& arguments) {
  std::string command;
  for (const std::string& argument : arguments) {
    command += command.empty() ? "" : " ";
    command += shell_word(argument);
  }
  return command;
}

}  // namespace everyitem::cli
