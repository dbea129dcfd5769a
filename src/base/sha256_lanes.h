// SHA-256 of a few texts side by side. sha256.cc uses it if the processor has instructions for it;
// everyone else uses sha256.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/sha256.h"

namespace everyitem {

inline constexpr std::size_t kSha256BlockBytes = 64;
/// Each step waits for the one before it, about as long as the steps of two other texts take. A
/// fourth text needs more registers than there are. Measured on a 2024 EPYC with one to four texts:
/// 1.8, 3.4, 3.9 and 3.7 GB/s.
inline constexpr std::size_t kMaxSha256Lanes = 3;

/// A digest in progress.
struct Sha256Lane {
  std::array<std::uint32_t, 8> state{};  ///< a to h
  const unsigned char* from = nullptr;   ///< the next block
};

/// Whether the processor has the x86 SHA extensions.
bool has_sha_instructions();

/// Hashes `blocks` blocks in each of 1 to kMaxSha256Lanes lanes, starting at `from`, and advances
/// `from`. Requires has_sha_instructions().
void sha256_blocks(std::span<Sha256Lane> lanes, std::size_t blocks);

/// Like sha256_each, using sha256_blocks.
void sha256_in_lanes(std::span<const std::string_view> texts, std::span<Sha256> digests);

}  // namespace everyitem
