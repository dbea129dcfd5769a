// Decodes base64 at memory speed, because most of what a stream receives is base64.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace everyitem::emulator {

/// The maximum number of bytes `text` can decode to.
constexpr std::size_t decoded_bytes(std::string_view text) { return text.size() / 4 * 3; }

/// Writes the bytes of `text` (RFC 4648, padded) to `out`, which has room for decoded_bytes, and
/// returns their number; nothing if it is not base64.
std::optional<std::size_t> decode_base64(std::string_view text, char* out);

}  // namespace everyitem::emulator
