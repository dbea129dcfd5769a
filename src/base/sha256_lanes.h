// SHA-256 of a few texts side by side. What sha256.cc chooses where the processor has instructions
// for it; elsewhere, use sha256.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/sha256.h"

namespace everyitem {

inline constexpr std::size_t kSha256BlockBytes = 64;
/// Each step waits for the one before it, for as long as the steps of two other texts take. With a
/// fourth text there are more of their words than registers: measured, 1.8, 3.4, 3.9 and 3.7 GB/s
/// with one to four, on an EPYC of 2024.
inline constexpr std::size_t kMostSha256Lanes = 3;

/// A digest that is being worked on.
struct Sha256Lane {
  std::array<std::uint32_t, 8> state{};  ///< a to h
  const unsigned char* from = nullptr;   ///< the next block
};

/// Whether the processor has the SHA extensions of x86.
bool has_sha_instructions();

/// Puts so many blocks through each of 1 to kMostSha256Lanes lanes, from `from` on, and moves that.
/// Only where has_sha_instructions().
void sha256_blocks(std::span<Sha256Lane> lanes, std::size_t blocks);

/// sha256_each by sha256_blocks.
void sha256_in_lanes(std::span<const std::string_view> texts, std::span<Sha256> digests);

}  // namespace everyitem
