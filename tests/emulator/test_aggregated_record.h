// Aggregated records for tests, right ones and wrong ones, from the fields of their messages.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace everyitem::emulator {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) {
    out += static_cast<char>(value | 0x80);
  }
  return out + static_cast<char>(value);
}

inline std::string number_field(unsigned number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}

inline std::string bytes_field(unsigned number, std::string_view value) {
  return varint(number << 3 | 2) + varint(value.size()) + std::string(value);
}

/// The AggregatedRecord's fields with what goes around them.
inline std::string aggregated(const std::string& message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_md5(), nullptr) != 1) {
    throw std::runtime_error("no MD5");
  }
  return "\xF3\x89\x9A\xC2" + message +
         std::string(reinterpret_cast<const char*>(digest.data()), 16);
}

}  // namespace everyitem::emulator
