// MD5 (RFC 1321), of many texts at once: Kinesis finds a record's shard by it, and aggregated
// records end with it. No protection against anybody.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace everyitem {

using Md5 = std::array<unsigned char, 16>;

/// Writes the MD5 of each of `texts` to the same place in `digests`, which are as many. Texts of
/// any lengths, the more of them the faster: a processor with AVX2 or AVX-512F works on up to 16
/// side by side. Any thread.
void md5_each(std::span<const std::string_view> texts, std::span<Md5> digests);

Md5 md5(std::string_view text);

}  // namespace everyitem
