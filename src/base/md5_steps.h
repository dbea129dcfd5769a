// The steps of RFC 1321 for `kSets` times as many lanes as a vector has: each step waits for the
// one before it, and a second set of vectors fills the gaps. To be included by a file that defines
//   EVERYITEM_MD5_TARGET   the attribute that selects the processor, and
//   a Vector, with         Words: the type of a register; kLanes: how many words it holds;
//                          load, store, broadcast, add, rotate<kBits>(words);
//                          add_mixed<kRound>(sum, b, c, d): the sum and the function of the round;
//                          transpose(from, at, to, stride): of `kLanes` texts, the 16 words of the
//                          block at `at` to `to`, word by word, `stride` words apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/md5_lanes.h"

namespace everyitem {

namespace {

// RFC 1321, section 3.4: the word of the block that a step of a round uses, the number of bits it
// rotates by, and the first 32 fractional bits of |sin(step + 1)|.
constexpr std::array<int, 4> kFirstWord{0, 1, 5, 0};
constexpr std::array<int, 4> kWordStride{1, 5, 3, 7};
constexpr int kRotations[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
constexpr std::uint32_t kSines[4][16] = {
    {0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
     0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e,
     0x49b40821},
    {0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
     0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9,
     0x8d2a4c8a},
    {0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
     0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8,
     0xc4ac5665},
    {0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
     0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
     0xeb86d391}};

#define EVERYITEM_MD5_INLINE EVERYITEM_MD5_TARGET __attribute__((always_inline)) inline

template <class Vector, int kSets>
struct Md5Sets {
  static constexpr std::size_t kLanes = Vector::kLanes * kSets;
  using Words = typename Vector::Words[kSets];
  using Block = std::uint32_t[16][kLanes];

  /// a = b + rotated(a + mixed(b, c, d) + word + constant)
  template <int kRound, int kStep>
  static EVERYITEM_MD5_INLINE void step(Words& a, const Words& b, const Words& c, const Words& d,
                                        const Block& block, int i) {
    const auto& word = block[(kFirstWord[kRound] + kWordStride[kRound] * (i + kStep)) % 16];
    const auto sine = Vector::broadcast(kSines[kRound][i + kStep]);
    for (int set = 0; set < kSets; ++set) {
      const auto sum =
          Vector::add(a[set], Vector::add(Vector::load(word + set * Vector::kLanes), sine));
      const auto mixed = Vector::template add_mixed<kRound>(sum, b[set], c[set], d[set]);
      a[set] = Vector::add(b[set], Vector::template rotate<kRotations[kRound][kStep]>(mixed));
    }
  }

  template <int kRound>
  static EVERYITEM_MD5_INLINE void round(Words& a, Words& b, Words& c, Words& d,
                                         const Block& block) {
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
      step<kRound, 0>(a, b, c, d, block, i);
      step<kRound, 1>(d, a, b, c, block, i);
      step<kRound, 2>(c, d, a, b, block, i);
      step<kRound, 3>(b, c, d, a, block, i);
    }
  }

  static EVERYITEM_MD5_TARGET void put_blocks_through(Md5Lanes& lanes, std::size_t blocks) {
    Words a, b, c, d;
    for (int set = 0; set < kSets; ++set) {
      a[set] = Vector::load(&lanes.state[0][set * Vector::kLanes]);
      b[set] = Vector::load(&lanes.state[1][set * Vector::kLanes]);
      c[set] = Vector::load(&lanes.state[2][set * Vector::kLanes]);
      d[set] = Vector::load(&lanes.state[3][set * Vector::kLanes]);
    }
    alignas(64) Block block;
    for (std::size_t at = 0; at < blocks * kMd5BlockBytes; at += kMd5BlockBytes) {
      Words a_before, b_before, c_before, d_before;
      for (int set = 0; set < kSets; ++set) {
        Vector::transpose(&lanes.from[set * Vector::kLanes], at, &block[0][set * Vector::kLanes],
                          kLanes);
        a_before[set] = a[set];
        b_before[set] = b[set];
        c_before[set] = c[set];
        d_before[set] = d[set];
      }
      round<0>(a, b, c, d, block);
      round<1>(a, b, c, d, block);
      round<2>(a, b, c, d, block);
      round<3>(a, b, c, d, block);
      for (int set = 0; set < kSets; ++set) {
        a[set] = Vector::add(a[set], a_before[set]);
        b[set] = Vector::add(b[set], b_before[set]);
        c[set] = Vector::add(c[set], c_before[set]);
        d[set] = Vector::add(d[set], d_before[set]);
      }
    }
    for (int set = 0; set < kSets; ++set) {
      Vector::store(&lanes.state[0][set * Vector::kLanes], a[set]);
      Vector::store(&lanes.state[1][set * Vector::kLanes], b[set]);
      Vector::store(&lanes.state[2][set * Vector::kLanes], c[set]);
      Vector::store(&lanes.state[3][set * Vector::kLanes], d[set]);
    }
  }
};

}  // namespace

}  // namespace everyitem
