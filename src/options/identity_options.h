// The options that say who calls, and where: those of every verb.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "identity/identity.h"

namespace everyitem::options {

/// Adds them to a verb; parsing fills `flags`, which must stay. `group` heads them in the help.
void add_identity_options(CLI::App& verb, identity::IdentityFlags& flags, const std::string& group);

}  // namespace everyitem::options
