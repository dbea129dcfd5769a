#include "batch/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <openssl/evp.h>

namespace everyitem::batch {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The two characters of every 12-bit value: three bytes are two look-ups.
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

}  // namespace

void append_base64(std::string& out, std::string_view data) {
  const std::size_t start = out.size();
  out.resize(start + (data.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  const auto* from = reinterpret_cast<const unsigned char*>(data.data());
  const std::size_t whole = data.size() / 3 * 3;
  for (std::size_t i = 0; i < whole; i += 3, to += 4) {
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

std::string decode_base64(std::string_view text) {
  std::string data(text.size() / 4 * 3, '\0');
  const int decoded = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(data.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
  if (decoded < 0) {
    throw std::invalid_argument("not a base64 text");
  }
  // It decodes padding to bytes of zero.
  data.resize(static_cast<std::size_t>(decoded) - (text.ends_with("==")  ? 2
                                                   : text.ends_with('=') ? 1
                                                                         : 0));
  return data;
}

}  // namespace everyitem::batch
