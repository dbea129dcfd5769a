// MD5 of many texts side by side: a vector register holds one word of each of several digests, each
// in a lane of its own. md5.cc chooses among these implementations; everyone else uses md5.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/md5.h"

namespace everyitem {

inline constexpr std::size_t kMd5BlockBytes = 64;
inline constexpr std::size_t kMaxMd5Lanes = 16;

/// The digests in progress.
struct Md5Lanes {
  alignas(64) std::array<std::array<std::uint32_t, kMaxMd5Lanes>, 4> state{};  ///< A, B, C, D
  std::array<const unsigned char*, kMaxMd5Lanes> from{};                       ///< the next block
};

/// Hashes `blocks` blocks in each lane, starting at `from`. Changes only `state`.
using Md5Kernel = void (*)(Md5Lanes& lanes, std::size_t blocks);

void md5_blocks_avx2_8(Md5Lanes& lanes, std::size_t blocks);     ///< uses the first eight lanes
void md5_blocks_avx2_16(Md5Lanes& lanes, std::size_t blocks);    ///< two sets of eight, interleaved
void md5_blocks_avx512_16(Md5Lanes& lanes, std::size_t blocks);  ///< needs only AVX-512F

/// A way to compute digests, and how long it takes.
struct Md5Method {
  const char* name = "";
  std::size_t lanes = 1;
  Md5Kernel kernel = nullptr;  ///< null for OpenSSL, which hashes one text after another
  double block_ns = 0;         ///< time for one block in each lane
  double text_ns = 0;          ///< additional time per text
};

/// The methods this processor supports, OpenSSL first.
std::span<const Md5Method> md5_methods();

/// Like md5_each, using one of md5_methods().
void md5_each_by(const Md5Method& method, std::span<const std::string_view> texts,
                 std::span<Md5> digests);

/// The number of blocks in some texts, including padding.
struct Md5Work {
  std::size_t blocks = 0;
  std::size_t longest = 0;  ///< blocks in the longest text
};
Md5Work md5_work(std::span<const std::string_view> texts);

/// The number of blocks each of `lanes` lanes has to hash. It cannot be lower, because the blocks
/// of a text depend on one another.
std::size_t blocks_per_lane(const Md5Work& work, std::size_t lanes);

/// Like md5_each, using a method that has a kernel.
void md5_in_lanes(const Md5Method& method, std::span<const std::string_view> texts,
                  std::span<Md5> digests);

}  // namespace everyitem
