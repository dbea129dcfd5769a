// Small files that hold a secret: a token, a login.
#pragma once

#include <string>

#include "base/padded_buffer.h"

namespace everyitem::identity {

/// All bytes of a regular file of at most a megabyte, read without a stream, because its buffer
/// would keep some of them. Throws std::system_error.
PaddedBuffer read_secret_file(const std::string& path);

}  // namespace everyitem::identity
