// `everyitem whoami`: who the program is to AWS, and which endpoints it would call.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace everyitem::cli {

/// Prints to standard output. Throws Error if there is no identity, or STS refuses it.
std::unique_ptr<Verb> make_whoami_verb();

}  // namespace everyitem::cli
