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
  std::string text;            ///< else this is what to print: the help, or what is wrong
  bool asked_for = false;      ///< the text was asked for
};

/// `command` is the whole command line, with the program's name.
ParsedCommand parse_command(const std::vector<std::string>& command);

}  // namespace everyitem::cli
