#include "batch/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <openssl/evp.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define EVERYITEM_HAS_AVX2
#endif

namespace everyitem::batch {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The two characters of every 12-bit value: three bytes take two look-ups.
constexpr auto kPairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t value = 0; value < pairs.size(); ++value) {
    pairs[value] = {kAlphabet[value >> 6], kAlphabet[value & 63]};
  }
  return pairs;
}();

void write_group(char* to, std::uint32_t bits) {
  std::memcpy(to, kPairs[bits >> 12].data(), 2);
  std::memcpy(to + 2, kPairs[bits & 0xfff].data(), 2);
}

#ifdef EVERYITEM_HAS_AVX2
const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;

/// Encodes from the front, 24 bytes per step. Returns how many it encoded, a multiple of 3. After
/// Mula and Lemire, "Faster Base64 Encoding and Decoding using AVX2 Instructions" (2018).
__attribute__((target("avx2"))) std::size_t encode_with_avx2(const unsigned char* from,
                                                             std::size_t size, char* to) {
  // In each half, the bytes of a group of three, so that its four values lie in one lane of 32
  // bits.
  const __m256i spread =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  // What to add to a value for its character, by the class that `classes` finds.
  const __m256i offsets = _mm256_broadcastsi128_si256(
      _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                    '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
  std::size_t done = 0;
  for (; size - done >= 28; done += 24, to += 32) {  // the second load reads 4 bytes further
    const __m256i bytes =
        _mm256_shuffle_epi8(_mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(from + done + 12),
                                                reinterpret_cast<const __m128i*>(from + done)),
                            spread);
    const __m256i first_and_third = _mm256_mulhi_epu16(
        _mm256_and_si256(bytes, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
    const __m256i second_and_fourth = _mm256_mullo_epi16(
        _mm256_and_si256(bytes, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
    const __m256i values = _mm256_or_si256(first_and_third, second_and_fourth);
    const __m256i letters = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
    const __m256i classes = _mm256_or_si256(_mm256_subs_epu8(values, _mm256_set1_epi8(51)),
                                            _mm256_and_si256(letters, _mm256_set1_epi8(13)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                        _mm256_add_epi8(values, _mm256_shuffle_epi8(offsets, classes)));
  }
  return done;
}
#endif

}  // namespace

void encode_base64(std::string_view data, char* to) {
  const auto* from = reinterpret_cast<const unsigned char*>(data.data());
  const std::size_t whole = data.size() / 3 * 3;
  std::size_t i = 0;
#ifdef EVERYITEM_HAS_AVX2
  if (kHasAvx2) {
    i = encode_with_avx2(from, whole, to);
    to += base64_size(i);
  }
#endif
  for (; i < whole; i += 3, to += 4) {
    write_group(to, static_cast<std::uint32_t>(from[i] << 16 | from[i + 1] << 8 | from[i + 2]));
  }
  const std::size_t rest = data.size() - whole;
  if (rest > 0) {
    const int second = rest == 2 ? from[whole + 1] << 8 : 0;
    write_group(to, static_cast<std::uint32_t>(from[whole] << 16 | second));
    to[3] = '=';
    if (rest == 1) {
      to[2] = '=';
    }
  }
}

}  // namespace everyitem::batch
