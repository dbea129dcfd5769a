// A verb of the command line: "scan" of `everyitem scan`. One file a verb, and one line in
// verbs.cc.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/exit_code.h"
#include "cli/standard_error.h"

namespace everyitem::cli {

class Verb {
 public:
  Verb() = default;
  Verb(const Verb&) = delete;
  Verb& operator=(const Verb&) = delete;
  virtual ~Verb() = default;

  /// Adds itself, with its flags and its help. Parsing fills this object.
  virtual CLI::App& add_to(CLI::App& program) = 0;
  /// Does what was asked for. `command` is the whole command line, for the hint how to resume.
  /// Throws Error.
  virtual ExitCode run(const std::vector<std::string>& command, StandardError& errors) = 0;
};

using MakeVerb = std::unique_ptr<Verb> (*)();

/// All of them, in the order of the help.
std::span<const MakeVerb> verbs();

}  // namespace everyitem::cli
