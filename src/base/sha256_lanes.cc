#include "base/sha256_lanes.h"

#include <algorithm>
#include <cstring>

namespace everyitem {

namespace {

/// FIPS 180-4, section 5.3.3.
constexpr std::array<std::uint32_t, 8> kFirstState{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

std::size_t whole_blocks(std::string_view text) { return text.size() / kSha256BlockBytes; }

/// Writes the most significant byte first.
template <typename Number>
void write_big_endian(Number number, unsigned char* to) {
  for (std::size_t byte = sizeof(number); byte > 0; --byte) {
    to[byte - 1] = static_cast<unsigned char>(number);
    number = static_cast<Number>(number >> 8);
  }
}

/// Hashes what follows the complete blocks of the text: the rest of its bytes, a one bit and, in
/// the last 8 bytes of a block, the length of the text.
void end_text(std::string_view text, Sha256Lane& lane) {
  std::array<unsigned char, 2 * kSha256BlockBytes> padded{};
  const std::size_t rest = text.size() % kSha256BlockBytes;
  if (rest > 0) {
    std::memcpy(padded.data(), text.data() + text.size() - rest, rest);
  }
  padded[rest] = 0x80;
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  const std::size_t blocks = rest + 1 + sizeof(bits) <= kSha256BlockBytes ? 1 : 2;
  write_big_endian(bits, padded.data() + blocks * kSha256BlockBytes - sizeof(bits));
  lane.from = padded.data();
  sha256_blocks({&lane, 1}, blocks);
}

/// `texts` and `lanes` have the same size; the longest text comes first.
void hash_side_by_side(std::span<const std::string_view> texts, std::span<Sha256Lane> lanes) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    lanes[i] = {.state = kFirstState,
                .from = reinterpret_cast<const unsigned char*>(texts[i].data())};
  }
  std::size_t done = 0;  // blocks hashed so far of each text that is long enough
  for (std::size_t longer = texts.size(); longer > 0; --longer) {
    const std::size_t blocks = whole_blocks(texts[longer - 1]) - done;
    sha256_blocks(lanes.first(longer), blocks);
    done += blocks;
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    end_text(texts[i], lanes[i]);
  }
}

}  // namespace

void sha256_in_lanes(std::span<const std::string_view> texts, std::span<Sha256> digests) {
  for (std::size_t first = 0; first < texts.size(); first += kMaxSha256Lanes) {
    const std::size_t count = std::min(kMaxSha256Lanes, texts.size() - first);
    std::array<std::size_t, kMaxSha256Lanes> order{};
    for (std::size_t i = 0; i < count; ++i) {
      order[i] = first + i;
    }
    const std::span<std::size_t> longest_first = std::span(order).first(count);
    std::ranges::sort(longest_first, std::ranges::greater{},
                      [&](std::size_t text) { return texts[text].size(); });
    std::array<std::string_view, kMaxSha256Lanes> together;
    for (std::size_t i = 0; i < count; ++i) {
      together[i] = texts[order[i]];
    }
    std::array<Sha256Lane, kMaxSha256Lanes> lanes;
    hash_side_by_side(std::span(together).first(count), std::span(lanes).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      unsigned char* to = digests[order[i]].data();
      for (const std::uint32_t word : lanes[i].state) {
        write_big_endian(word, to);
        to += sizeof(word);
      }
    }
  }
}

}  // namespace everyitem
