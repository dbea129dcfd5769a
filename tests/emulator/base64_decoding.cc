#include "emulator/base64_decoding.h"

#include <array>
#include <cstdint>

namespace everyitem::emulator {

namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t kInvalid = 1U << 31;

using Table = std::array<std::uint32_t, 256>;

/// What a digit at each of the four places adds to 24 bits.
constexpr std::array<Table, 4> kTables = [] {
  std::array<Table, 4> tables{};
  for (std::size_t place = 0; place < tables.size(); ++place) {
    tables[place].fill(kInvalid);
    for (std::uint32_t value = 0; value < kDigits.size(); ++value) {
      tables[place][static_cast<unsigned char>(kDigits[value])] = value << (18 - 6 * place);
    }
  }
  return tables;
}();

std::uint32_t bits_of(const char* four) {
  const auto at = [&](std::size_t place) {
    return kTables[place][static_cast<unsigned char>(four[place])];
  };
  return at(0) | at(1) | at(2) | at(3);
}

}  // namespace

std::optional<std::size_t> decode_base64(std::string_view text, char* out) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  if (text.empty()) {
    return 0;
  }
  const char* const start = out;
  std::uint32_t seen = 0;
  const char* four = text.data();
  const char* const last = text.data() + text.size() - 4;
  for (; four != last; four += 4) {
    const std::uint32_t bits = bits_of(four);
    seen |= bits;
    *out++ = static_cast<char>(bits >> 16);
    *out++ = static_cast<char>(bits >> 8);
    *out++ = static_cast<char>(bits);
  }
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::array<char, 4> end{last[0], last[1], 'A', 'A'};  // A is 0
  for (std::size_t place = 2; place < 4 - padding; ++place) {
    end[place] = last[place];
  }
  const std::uint32_t bits = bits_of(end.data());
  for (std::size_t byte = 0; byte < 3 - padding; ++byte) {
    *out++ = static_cast<char>(bits >> (16 - 8 * byte));
  }
  if (((seen | bits) & kInvalid) != 0) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(out - start);
}

}  // namespace everyitem::emulator
