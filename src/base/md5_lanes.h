// MD5 of many texts side by side: a vector register holds one word of each of several digests, a
// lane each. What md5.cc chooses from; elsewhere, use md5.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/md5.h"

namespace everyitem {

inline constexpr std::size_t kMd5BlockBytes = 64;
inline constexpr std::size_t kMostMd5Lanes = 16;

/// The digests that are being worked on.
struct Md5Lanes {
  alignas(64) std::array<std::array<std::uint32_t, kMostMd5Lanes>, 4> state{};  ///< A, B, C, D
  std::array<const unsigned char*, kMostMd5Lanes> from{};                       ///< the next block
};

/// Puts so many blocks through each lane: reads them from `from` on, and changes `state` alone.
using Md5Kernel = void (*)(Md5Lanes& lanes, std::size_t blocks);

void md5_blocks_avx2_8(Md5Lanes& lanes, std::size_t blocks);     ///< the first eight lanes
void md5_blocks_avx2_16(Md5Lanes& lanes, std::size_t blocks);    ///< twice eight, interleaved
void md5_blocks_avx512_16(Md5Lanes& lanes, std::size_t blocks);  ///< AVX-512F is enough

/// A way to compute digests, and how long it takes.
struct Md5Method {
  const char* name = "";
  std::size_t lanes = 1;
  Md5Kernel kernel = nullptr;  ///< none: OpenSSL, one text after the other
  double block_ns = 0;         ///< for a block in each lane
  double text_ns = 0;          ///< for each text besides
};

/// Those that this processor can do, OpenSSL first.
std::span<const Md5Method> md5_methods();

/// As md5_each, by one of md5_methods().
void md5_each_by(const Md5Method& method, std::span<const std::string_view> texts,
                 std::span<Md5> digests);

/// The blocks of some texts, padding included.
struct Md5Work {
  std::size_t blocks = 0;
  std::size_t longest = 0;  ///< of one text
};
Md5Work md5_work(std::span<const std::string_view> texts);

/// How many blocks go through each of so many lanes: no fewer are enough, since the blocks of a
/// text wait for one another.
std::size_t blocks_a_lane(const Md5Work& work, std::size_t lanes);

/// md5_each by a method that has a kernel.
void md5_in_lanes(const Md5Method& method, std::span<const std::string_view> texts,
                  std::span<Md5> digests);

}  // namespace everyitem
