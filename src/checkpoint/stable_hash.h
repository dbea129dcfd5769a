// A hash that stays the same from version to version, for names and for noticing what does not
// belong together.
#pragma once

#include <cstdint>
#include <string_view>

namespace everyitem::checkpoint {

/// FNV-1a, 64 bits: nobody gains by a collision here.
constexpr std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

}  // namespace everyitem::checkpoint
