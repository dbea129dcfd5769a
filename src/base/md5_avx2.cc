#include "base/md5_lanes.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define EVERYITEM_MD5_TARGET __attribute__((target("avx2")))
#include "base/md5_steps.h"

namespace everyitem {

namespace {

struct Avx2 {
  using Words = __m256i;
  static constexpr std::size_t kLanes = 8;

  static EVERYITEM_MD5_INLINE Words load(const std::uint32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const Words*>(from));
  }
  static EVERYITEM_MD5_INLINE void store(std::uint32_t* to, Words words) {
    _mm256_storeu_si256(reinterpret_cast<Words*>(to), words);
  }
  static EVERYITEM_MD5_INLINE Words broadcast(std::uint32_t word) {
    return _mm256_set1_epi32(static_cast<int>(word));
  }
  static EVERYITEM_MD5_INLINE Words add(Words a, Words b) { return _mm256_add_epi32(a, b); }

  template <int kBits>
  static EVERYITEM_MD5_INLINE Words rotate(Words words) {
    return _mm256_or_si256(_mm256_slli_epi32(words, kBits), _mm256_srli_epi32(words, 32 - kBits));
  }

  template <int kRound>
  static EVERYITEM_MD5_INLINE Words add_mixed(Words sum, Words b, Words c, Words d) {
    if constexpr (kRound == 0) {  // b ? c : d
      return add(sum, _mm256_xor_si256(d, _mm256_and_si256(b, _mm256_xor_si256(c, d))));
    } else if constexpr (kRound == 1) {  // d ? b : c; only the last two operations wait for b,
                                         // which is computed last
      return add(add(sum, _mm256_andnot_si256(d, c)), _mm256_and_si256(d, b));
    } else if constexpr (kRound == 2) {
      return add(sum, _mm256_xor_si256(b, _mm256_xor_si256(c, d)));
    } else {
      const Words not_d = _mm256_xor_si256(d, _mm256_set1_epi32(-1));
      return add(sum, _mm256_xor_si256(c, _mm256_or_si256(b, not_d)));
    }
  }

  static EVERYITEM_MD5_INLINE void transpose(const unsigned char* const* from, std::size_t at,
                                             std::uint32_t* to, std::size_t stride) {
    for (std::size_t word = 0; word < 16; word += 4) {
      // Four words of a lane, and four of the lane that is four further on.
      Words rows[4];
      for (int i = 0; i < 4; ++i) {
        rows[i] = _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(from[i + 4] + at + word * 4),
                                      reinterpret_cast<const __m128i*>(from[i] + at + word * 4));
      }
      const Words low_01 = _mm256_unpacklo_epi32(rows[0], rows[1]);
      const Words high_01 = _mm256_unpackhi_epi32(rows[0], rows[1]);
      const Words low_23 = _mm256_unpacklo_epi32(rows[2], rows[3]);
      const Words high_23 = _mm256_unpackhi_epi32(rows[2], rows[3]);
      store(to + word * stride, _mm256_unpacklo_epi64(low_01, low_23));
      store(to + (word + 1) * stride, _mm256_unpackhi_epi64(low_01, low_23));
      store(to + (word + 2) * stride, _mm256_unpacklo_epi64(high_01, high_23));
      store(to + (word + 3) * stride, _mm256_unpackhi_epi64(high_01, high_23));
    }
  }
};

}  // namespace

void md5_blocks_avx2_8(Md5Lanes& lanes, std::size_t blocks) {
  Md5Sets<Avx2, 1>::put_blocks_through(lanes, blocks);
}

void md5_blocks_avx2_16(Md5Lanes& lanes, std::size_t blocks) {
  Md5Sets<Avx2, 2>::put_blocks_through(lanes, blocks);
}

}  // namespace everyitem

#endif
