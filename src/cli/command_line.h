// What a command line asks for: a verb, help, or nothing that there is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/verb.h"

namespace everyitem::cli {

/// What to do for a command line.
struct ParsedCommand {
  std::unique_ptr<Verb> verb;  ///< its flags are set; null if there is nothing to run
  std::string text;            ///< if so, what was asked for: the help or the version
  std::string fault;           ///< or what is wrong
};

/// `command` is the whole command line, with the program's name.
ParsedCommand parse_command(const std::vector<std::string>& command);

}  // namespace everyitem::cli
