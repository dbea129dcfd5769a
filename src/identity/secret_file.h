// Small files that hold a secret: a token, a login.
#pragma once

#include <string>

#include "base/padded_buffer.h"

namespace everyitem::identity {

/// All bytes of a regular file of a megabyte at most, read without a stream, whose buffer would
/// keep some of them. Throws std::system_error.
PaddedBuffer read_secret_file(const std::string& path);

}  // namespace everyitem::identity
