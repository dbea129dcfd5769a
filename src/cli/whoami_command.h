// `everyitem whoami`: who the program is to AWS, and which endpoints it would call.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/exit_code.h"
#include "identity/identity.h"

namespace everyitem::cli {

struct WhoamiOptions {
  identity::IdentityFlags identity;
  bool verbose = false;
  bool json = false;
  bool offline = false;  ///< without asking STS
};

/// Adds the verb to the program; parsing fills `options`, which must stay.
CLI::App* add_whoami_command(CLI::App& program, WhoamiOptions& options);

/// Prints to standard output. Throws Error where there is no identity, or STS refuses it.
ExitCode run_whoami_command(const WhoamiOptions& options);

}  // namespace everyitem::cli
