// Bytes owned once, with room behind them that a vectorised parser may read (never use).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace everyitem {

/// The bytes of one answer. After `finish`, at least kPadding readable bytes follow them.
/// Moving keeps the address of a text longer than std::string's inline storage; a text is always
/// longer than that here, because the padding counts, so views stay valid across a move.
class PaddedBuffer {
 public:
  /// simdjson reads up to 64 bytes past the end (SIMDJSON_PADDING; checked where it is used).
  static constexpr std::size_t kPadding = 64;

  PaddedBuffer() { bytes_.reserve(kPadding); }
  explicit PaddedBuffer(std::string_view text) {
    reserve(text.size());
    append(text);
    finish();
  }

  void reserve(std::size_t bytes) { bytes_.reserve(bytes + kPadding); }
  void append(std::string_view part) { bytes_.append(part); }
  /// Makes sure of the padding. Call once, after the last append.
  void finish() {
    if (bytes_.capacity() < bytes_.size() + kPadding) {
      bytes_.reserve(bytes_.size() + kPadding);
    }
  }

  std::string_view view() const& noexcept { return bytes_; }
  std::string_view view() && = delete;
  const char* data() const& noexcept { return bytes_.data(); }
  std::size_t size() const noexcept { return bytes_.size(); }
  bool empty() const noexcept { return bytes_.empty(); }
  std::size_t capacity() const noexcept { return bytes_.capacity(); }

 private:
  std::string bytes_;
};

}  // namespace everyitem
