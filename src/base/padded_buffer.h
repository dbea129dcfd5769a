// Bytes owned once, with room behind them that a vectorised parser may read (never use).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace everyitem {

/// The bytes of one answer or request. After `finish`, at least kPadding readable bytes follow
/// them. The bytes are on the heap whatever their number, so views stay valid across a move;
/// growing (`reserve`, `append`, `prepare`, `finish`) ends them. A buffer that was moved from is
/// empty.
class PaddedBuffer {
 public:
  /// simdjson reads up to 64 bytes past the end (SIMDJSON_PADDING; checked where it is used).
  static constexpr std::size_t kPadding = 64;

  PaddedBuffer() = default;
  explicit PaddedBuffer(std::string_view text) {
    append(text);
    finish();
  }
  PaddedBuffer(PaddedBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  PaddedBuffer& operator=(PaddedBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }
  PaddedBuffer(const PaddedBuffer&) = delete;
  PaddedBuffer& operator=(const PaddedBuffer&) = delete;
  ~PaddedBuffer() = default;

  /// Makes room for `bytes` in all, and the padding, in one allocation of just that size.
  void reserve(std::size_t bytes) {
    if (bytes + kPadding > capacity_) {
      grow(bytes + kPadding);
    }
  }

  void append(std::string_view part) {
    if (!part.empty()) {
      std::memcpy(prepare(part.size()).data(), part.data(), part.size());
      commit(part.size());
    }
  }

  /// Room for `bytes` more behind the end, for the caller to write into. It is not initialised,
  /// which saves touching a megabyte twice when it is read from the network.
  std::span<char> prepare(std::size_t bytes) {
    if (size_ + bytes + kPadding > capacity_) {
      grow(std::max(size_ + bytes + kPadding, 2 * capacity_));
    }
    return {bytes_.get() + size_, bytes};
  }
  /// Takes over the first `bytes` of what `prepare` gave and the caller has written.
  void commit(std::size_t bytes) noexcept { size_ += bytes; }

  /// Makes the padding readable. Call once, after the last append.
  void finish() {
    reserve(size_);
    std::memset(bytes_.get() + size_, 0, kPadding);
  }

  /// Makes it empty, and keeps its memory.
  void clear() noexcept { size_ = 0; }

  std::string_view view() const& noexcept { return {bytes_.get(), size_}; }
  std::string_view view() && = delete;
  const char* data() const& noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// The bytes that it takes in memory.
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  void grow(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) {
      std::memcpy(bytes.get(), bytes_.get(), size_);
    }
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace everyitem
