// MD5 (RFC 1321) of many texts at once. Kinesis uses it to find a record's shard, and aggregated
// records end with it. Not for security.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace everyitem {

using Md5 = std::array<unsigned char, 16>;

/// Writes the MD5 of each of `texts` to the same index in `digests`, which has the same size. The
/// texts can have any lengths. More of them at once are faster: a processor with AVX2 or AVX-512F
/// hashes up to 16 side by side. Any thread.
void md5_each(std::span<const std::string_view> texts, std::span<Md5> digests);

Md5 md5(std::string_view text);

}  // namespace everyitem
