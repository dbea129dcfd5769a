#include "base/md5_lanes.h"

#include <algorithm>
#include <cstring>

namespace everyitem {

namespace {

constexpr std::array<std::uint32_t, 4> kFirstState{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/// A text is followed by a one bit and, in the last 8 bytes, its length.
std::size_t blocks_of(std::string_view text) {
  return (text.size() + 1 + 8 + kMd5BlockBytes - 1) / kMd5BlockBytes;
}

/// Writes the block of `text` that begins at `at`, which is partly or completely padding.
void write_padded(std::string_view text, std::size_t at, unsigned char* to) {
  std::memset(to, 0, kMd5BlockBytes);
  if (at <= text.size()) {
    const std::size_t rest = text.size() - at;
    if (rest > 0) {
      std::memcpy(to, text.data() + at, rest);
    }
    to[rest] = 0x80;
  }
  if (at / kMd5BlockBytes + 1 == blocks_of(text)) {
    const std::uint64_t bits = std::uint64_t{text.size()} * 8;
    std::memcpy(to + kMd5BlockBytes - sizeof(bits), &bits, sizeof(bits));
  }
}

/// A lane's part of the work: a stretch of the blocks of all texts, laid out one text after
/// another. A lane hashes the texts of its stretch from the last to the first. So if a text extends
/// from one stretch into the next, its first blocks are hashed before anything else in their lane,
/// and the rest after everything else in the other: never at the same time, because no text is
/// longer than a stretch.
struct Stretch {
  std::size_t text = 0;       ///< the current one
  std::size_t block = 0;      ///< the next block of this text
  std::size_t blocks = 0;     ///< blocks of this text from there on
  std::size_t in_others = 0;  ///< blocks of the preceding texts in this stretch
  std::size_t in_a_row = 0;   ///< this many of `blocks` are contiguous in memory
  std::array<unsigned char, kMd5BlockBytes> padded{};  ///< a block with padding
};

class LanesAtWork {
 public:
  LanesAtWork(std::span<const std::string_view> texts, std::span<Md5> digests, std::size_t lanes)
      : texts_(texts), digests_(digests) {
    const Md5Work work = md5_work(texts);
    const std::size_t length = blocks_per_lane(work, lanes);
    // Blocks are counted from the first block of the first text. If they do not divide evenly, the
    // first stretch is shorter: no text extends into it, so none of its blocks has to be hashed
    // last.
    std::size_t begin = 0;
    std::size_t end = work.blocks == 0 ? 1 : (work.blocks - 1) % length + 1;
    std::size_t begin_of_text = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::size_t end_of_text = begin_of_text + blocks_of(texts[i]);
      for (; end <= end_of_text; begin = end, end += length) {
        const std::size_t from = std::max(begin, begin_of_text);
        Stretch& stretch = stretches_[used_];
        stretch.text = i;
        stretch.block = from - begin_of_text;
        stretch.blocks = end - from;
        stretch.in_others = from - begin;
        begin_text(used_++);
      }
      begin_of_text = end_of_text;
    }
  }

  void run(Md5Kernel kernel) {
    if (used_ == 0) {
      return;
    }
    const std::size_t last = used_ - 1;
    while (stretches_[last].blocks > 0) {  // no other stretch has more
      std::size_t blocks = stretches_[last].in_a_row;
      for (std::size_t lane = 0; lane < kMaxMd5Lanes; ++lane) {
        if (stretches_[lane].blocks > 0) {
          blocks = std::min(blocks, stretches_[lane].in_a_row);
        } else {
          lanes_.from[lane] = lanes_.from[last];  // has to read something; the result is discarded
        }
      }
      kernel(lanes_, blocks);
      for (std::size_t lane = 0; lane < used_; ++lane) {
        if (stretches_[lane].blocks > 0) {
          advance(lane, blocks);
        }
      }
    }
  }

 private:
  void advance(std::size_t lane, std::size_t blocks) {
    Stretch& stretch = stretches_[lane];
    stretch.block += blocks;
    stretch.blocks -= blocks;
    if (stretch.blocks > 0) {
      find_block(lane);
      return;
    }
    // Holds the intermediate state until the last block, and then the digest.
    std::array<std::uint32_t, 4> state;
    for (std::size_t word = 0; word < state.size(); ++word) {
      state[word] = lanes_.state[word][lane];
    }
    std::memcpy(digests_[stretch.text].data(), state.data(), sizeof(state));
    if (stretch.in_others > 0) {
      --stretch.text;
      const std::size_t all = blocks_of(texts_[stretch.text]);
      stretch.blocks = std::min(all, stretch.in_others);
      stretch.block = all - stretch.blocks;
      stretch.in_others -= stretch.blocks;
      begin_text(lane);
    }
  }

  void begin_text(std::size_t lane) {
    const Stretch& stretch = stretches_[lane];
    std::array<std::uint32_t, 4> state = kFirstState;
    if (stretch.block > 0) {
      std::memcpy(state.data(), digests_[stretch.text].data(), sizeof(state));
    }
    for (std::size_t word = 0; word < state.size(); ++word) {
      lanes_.state[word][lane] = state[word];
    }
    find_block(lane);
  }

  void find_block(std::size_t lane) {
    Stretch& stretch = stretches_[lane];
    const std::string_view text = texts_[stretch.text];
    const std::size_t whole = text.size() / kMd5BlockBytes;
    if (stretch.block < whole) {
      stretch.in_a_row = std::min(stretch.blocks, whole - stretch.block);
      lanes_.from[lane] =
          reinterpret_cast<const unsigned char*>(text.data()) + stretch.block * kMd5BlockBytes;
    } else {
      stretch.in_a_row = 1;
      write_padded(text, stretch.block * kMd5BlockBytes, stretch.padded.data());
      lanes_.from[lane] = stretch.padded.data();
    }
  }

  std::span<const std::string_view> texts_;
  std::span<Md5> digests_;
  std::array<Stretch, kMaxMd5Lanes> stretches_;
  std::size_t used_ = 0;
  Md5Lanes lanes_;
};

}  // namespace

Md5Work md5_work(std::span<const std::string_view> texts) {
  Md5Work work;
  for (const std::string_view text : texts) {
    const std::size_t blocks = blocks_of(text);
    work.blocks += blocks;
    work.longest = std::max(work.longest, blocks);
  }
  return work;
}

std::size_t blocks_per_lane(const Md5Work& work, std::size_t lanes) {
  return std::max(work.longest, (work.blocks + lanes - 1) / lanes);
}

void md5_in_lanes(const Md5Method& method, std::span<const std::string_view> texts,
                  std::span<Md5> digests) {
  LanesAtWork(texts, digests, method.lanes).run(method.kernel);
}

}  // namespace everyitem
