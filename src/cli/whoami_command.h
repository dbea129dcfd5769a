// `everyitem whoami`: who the program is to AWS, and which endpoints it would call.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace everyitem::cli {

/// Prints what it knows to standard output. Throws Error, after that, if there is no identity, or
/// STS does not confirm it.
std::unique_ptr<Verb> make_whoami_verb();

}  // namespace everyitem::cli
