// Base64 with padding (RFC 4648, section 4), as JSON APIs carry binary data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace everyitem::batch {

/// Characters of the base64 text of `bytes` bytes.
constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

/// Writes the base64 text of `data` to `to`, which must have room for base64_size(data.size())
/// characters. Vectorised if the processor has AVX2: 14 GB/s, measured with items of 400 bytes.
void encode_base64(std::string_view data, char* to);

}  // namespace everyitem::batch
