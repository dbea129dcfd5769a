#include "base/sha256_lanes.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>

#include <utility>

#define EVERYITEM_SHA_TARGET __attribute__((target("sha,sse4.1")))
#define EVERYITEM_SHA_INLINE EVERYITEM_SHA_TARGET __attribute__((always_inline)) inline

namespace everyitem {

namespace {

/// FIPS 180-4, section 4.2.2.
alignas(16) constexpr std::array<std::uint32_t, 64> kConstants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/// The message words of the last sixteen steps as a ring of registers, four words in each.
constexpr int kRing = 4;
constexpr int kFoursOfSteps = 16;

template <int kLanes>
struct Lanes {
  __m128i abef[kLanes];  ///< the state as the instructions expect it, with the first word in the
                         ///< highest position
  __m128i cdgh[kLanes];
  __m128i words[kRing][kLanes];

  /// Four steps of each lane, and the parts of later words that can be computed by then.
  template <int kFour>
  EVERYITEM_SHA_INLINE void four_steps(const unsigned char* const* from) {
    constexpr int kHere = kFour % kRing;
    constexpr int kNext = (kFour + 1) % kRing;
    constexpr int kBefore = (kFour + kRing - 1) % kRing;
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
#pragma GCC unroll 3
    for (int i = 0; i < kLanes; ++i) {
      if constexpr (kFour < kRing) {
        const auto* const at = reinterpret_cast<const __m128i*>(from[i]) + kFour;
        words[kHere][i] = _mm_shuffle_epi8(_mm_loadu_si128(at), big_endian);
      }
      const auto* const constants = reinterpret_cast<const __m128i*>(kConstants.data()) + kFour;
      const __m128i sum = _mm_add_epi32(words[kHere][i], _mm_load_si128(constants));
      cdgh[i] = _mm_sha256rnds2_epu32(cdgh[i], abef[i], sum);
      if constexpr (kFour >= kRing - 1 && kFour < kFoursOfSteps - 1) {
        const __m128i seven_back = _mm_alignr_epi8(words[kHere][i], words[kBefore][i], 4);
        words[kNext][i] =
            _mm_sha256msg2_epu32(_mm_add_epi32(words[kNext][i], seven_back), words[kHere][i]);
      }
      abef[i] = _mm_sha256rnds2_epu32(abef[i], cdgh[i], _mm_shuffle_epi32(sum, 0x0e));
      if constexpr (kFour >= 1 && kFour < kFoursOfSteps - kRing + 1) {
        words[kBefore][i] = _mm_sha256msg1_epu32(words[kBefore][i], words[kHere][i]);
      }
    }
  }

  template <int... kFours>
  EVERYITEM_SHA_INLINE void all_steps(const unsigned char* const* from,
                                      std::integer_sequence<int, kFours...> /*of them*/) {
    (four_steps<kFours>(from), ...);
  }
};

template <int kLanes>
EVERYITEM_SHA_TARGET void put_blocks_through(Sha256Lane* lanes, std::size_t blocks) {
  Lanes<kLanes> work;
  const unsigned char* from[kLanes];
#pragma GCC unroll 3
  for (int i = 0; i < kLanes; ++i) {
    const auto& s = lanes[i].state;
    const auto word = [&](std::size_t index) { return static_cast<int>(s[index]); };
    work.abef[i] = _mm_set_epi32(word(0), word(1), word(4), word(5));
    work.cdgh[i] = _mm_set_epi32(word(2), word(3), word(6), word(7));
    from[i] = lanes[i].from;
  }
  for (; blocks > 0; --blocks) {
    __m128i abef_before[kLanes];
    __m128i cdgh_before[kLanes];
#pragma GCC unroll 3
    for (int i = 0; i < kLanes; ++i) {
      abef_before[i] = work.abef[i];
      cdgh_before[i] = work.cdgh[i];
    }
    work.all_steps(from, std::make_integer_sequence<int, kFoursOfSteps>());
#pragma GCC unroll 3
    for (int i = 0; i < kLanes; ++i) {
      work.abef[i] = _mm_add_epi32(work.abef[i], abef_before[i]);
      work.cdgh[i] = _mm_add_epi32(work.cdgh[i], cdgh_before[i]);
      from[i] += kSha256BlockBytes;
    }
  }
#pragma GCC unroll 3
  for (int i = 0; i < kLanes; ++i) {
    const auto word = [](int bits) { return static_cast<std::uint32_t>(bits); };
    const __m128i abef = work.abef[i];
    const __m128i cdgh = work.cdgh[i];
    lanes[i].state = {word(_mm_extract_epi32(abef, 3)), word(_mm_extract_epi32(abef, 2)),
                      word(_mm_extract_epi32(cdgh, 3)), word(_mm_extract_epi32(cdgh, 2)),
                      word(_mm_extract_epi32(abef, 1)), word(_mm_extract_epi32(abef, 0)),
                      word(_mm_extract_epi32(cdgh, 1)), word(_mm_extract_epi32(cdgh, 0))};
    lanes[i].from = from[i];
  }
}

}  // namespace

bool has_sha_instructions() {
  static const bool has = [] {
    constexpr unsigned kExtendedFeatures = 7;
    constexpr unsigned kSha = 1U << 29;  // of EBX
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    return __get_cpuid_count(kExtendedFeatures, 0, &eax, &ebx, &ecx, &edx) != 0 &&
           (ebx & kSha) != 0 && __builtin_cpu_supports("sse4.1") != 0;
  }();
  return has;
}

void sha256_blocks(std::span<Sha256Lane> lanes, std::size_t blocks) {
  switch (lanes.size()) {
    case 3:
      put_blocks_through<3>(lanes.data(), blocks);
      break;
    case 2:
      put_blocks_through<2>(lanes.data(), blocks);
      break;
    default:
      put_blocks_through<1>(lanes.data(), blocks);
  }
}

}  // namespace everyitem

#else

namespace everyitem {

bool has_sha_instructions() { return false; }

void sha256_blocks(std::span<Sha256Lane> /*lanes*/, std::size_t /*blocks*/) {}

}  // namespace everyitem

#endif
