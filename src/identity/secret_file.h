// Small files that hold a secret: a token, a login.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "base/padded_buffer.h"

namespace everyitem::identity {

/// All bytes of a regular file of at most a megabyte, read without a stream, because its buffer
/// would keep some of them. Throws std::system_error. `readable_by_others`: than its owner and
/// group.
PaddedBuffer read_secret_file(const std::string& path, bool* readable_by_others = nullptr);
/// The same for a file that need not be there: `error` says why nothing was read, or is empty.
PaddedBuffer read_secret_file(const std::string& path, std::error_code& error,
                              bool* readable_by_others = nullptr);

/// Replaces the file atomically and durably, readable only for its owner. Returns why it could not
/// be written, or nothing.
std::string replace_secret_file(const std::string& path, std::string_view text);

}  // namespace everyitem::identity
