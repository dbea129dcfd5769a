// Standard input, output and error of the process, whatever its parent made of them.
#pragma once

#include <string_view>

namespace everyitem {

/// Call it first. Opens those of descriptors 0 to 2 that are closed, so that no file of the program
/// gets their number and with it what is meant for them. Reading and writing them fails as before.
/// Failures to write to a pipe, or beyond a limit, are errors from then on, not signals.
void prepare_standard_streams();

/// Writes text, as it is, to standard output. Throws Error if not all of it could be written.
void write_standard_output(std::string_view text);

}  // namespace everyitem
