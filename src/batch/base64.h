// Base64 with padding (RFC 4648, section 4), as JSON APIs carry binary data.
#pragma once

#include <string>
#include <string_view>

namespace everyitem::batch {

/// Appends the base64 text of `data` to `out`.
void append_base64(std::string& out, std::string_view data);

/// The data of a text that `append_base64` made.
std::string decode_base64(std::string_view text);

}  // namespace everyitem::batch
