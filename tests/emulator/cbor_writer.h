// Writes CBOR (RFC 8949), with definite or indefinite lengths.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace everyitem::emulator {

class CborWriter {
 public:
  explicit CborWriter(std::size_t expected_bytes = 0) { out_.reserve(expected_bytes); }

  /// To be followed by `entries` pairs of a name and a value, or `elements` values.
  CborWriter& map(std::uint64_t entries) { return head(5, entries); }
  CborWriter& array(std::uint64_t elements) { return head(4, elements); }
  /// To be followed by any number of them, until `close`.
  CborWriter& open_map() { return byte(0xbf); }
  CborWriter& open_array() { return byte(0x9f); }
  CborWriter& close() { return byte(0xff); }

  CborWriter& text(std::string_view value);
  CborWriter& bytes(std::string_view value);
  CborWriter& number(std::uint64_t value) { return head(0, value); }
  CborWriter& null() { return byte(0xf6); }

  /// Returns the document.
  std::string take() { return std::move(out_); }

 private:
  CborWriter& head(unsigned kind, std::uint64_t argument);
  CborWriter& byte(unsigned value);

  std::string out_;
};

}  // namespace everyitem::emulator
