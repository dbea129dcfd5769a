#include "base/md5_lanes.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define EVERYITEM_MD5_TARGET __attribute__((target("avx512f")))
#include "base/md5_steps.h"

namespace everyitem {

namespace {

struct Avx512 {
  using Words = __m512i;
  static constexpr std::size_t kLanes = 16;

  static EVERYITEM_MD5_INLINE Words load(const std::uint32_t* from) {
    return _mm512_loadu_si512(from);
  }
  static EVERYITEM_MD5_INLINE void store(std::uint32_t* to, Words words) {
    _mm512_storeu_si512(to, words);
  }
  static EVERYITEM_MD5_INLINE Words broadcast(std::uint32_t word) {
    return _mm512_set1_epi32(static_cast<int>(word));
  }
  static EVERYITEM_MD5_INLINE Words add(Words a, Words b) { return _mm512_add_epi32(a, b); }

  template <int kBits>
  static EVERYITEM_MD5_INLINE Words rotate(Words words) {
    return _mm512_rol_epi32(words, kBits);
  }

  template <int kRound>
  static EVERYITEM_MD5_INLINE Words add_mixed(Words sum, Words b, Words c, Words d) {
    // One bit for each of b, c, d = 000, 001 and so on: b ? c : d; d ? b : c; b ^ c ^ d; c ^ (b |
    // ~d).
    constexpr int kFunctions[4] = {0b11001010, 0b11100100, 0b10010110, 0b00111001};
    return add(sum, _mm512_ternarylogic_epi32(b, c, d, kFunctions[kRound]));
  }

  static EVERYITEM_MD5_INLINE void transpose(const unsigned char* const* from, std::size_t at,
                                             std::uint32_t* to, std::size_t stride) {
    for (std::size_t word = 0; word < 16; word += 4) {
      // Four words of a lane, and of the lanes that are 4, 8 and 12 further on.
      Words rows[4];
      for (int i = 0; i < 4; ++i) {
        rows[i] = _mm512_castsi128_si512(load_quarter(from[i] + at + word * 4));
        rows[i] = _mm512_inserti32x4(rows[i], load_quarter(from[i + 4] + at + word * 4), 1);
        rows[i] = _mm512_inserti32x4(rows[i], load_quarter(from[i + 8] + at + word * 4), 2);
        rows[i] = _mm512_inserti32x4(rows[i], load_quarter(from[i + 12] + at + word * 4), 3);
      }
      const Words low_01 = _mm512_unpacklo_epi32(rows[0], rows[1]);
      const Words high_01 = _mm512_unpackhi_epi32(rows[0], rows[1]);
      const Words low_23 = _mm512_unpacklo_epi32(rows[2], rows[3]);
      const Words high_23 = _mm512_unpackhi_epi32(rows[2], rows[3]);
      store(to + word * stride, _mm512_unpacklo_epi64(low_01, low_23));
      store(to + (word + 1) * stride, _mm512_unpackhi_epi64(low_01, low_23));
      store(to + (word + 2) * stride, _mm512_unpacklo_epi64(high_01, high_23));
      store(to + (word + 3) * stride, _mm512_unpackhi_epi64(high_01, high_23));
    }
  }

  static EVERYITEM_MD5_INLINE __m128i load_quarter(const unsigned char* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
};

}  // namespace

void md5_blocks_avx512_16(Md5Lanes& lanes, std::size_t blocks) {
  Md5Sets<Avx512, 1>::put_blocks_through(lanes, blocks);
}

}  // namespace everyitem

#endif
