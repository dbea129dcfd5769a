// Owned bytes, followed by padding that a vectorized parser may read but never uses.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace everyitem {

/// The bytes of one request or response. After `finish`, at least kPadding readable bytes follow
/// them. The bytes are always on the heap, so views stay valid when the buffer is moved, but not
/// when it grows (`reserve`, `append`, `prepare`, `finish`). A buffer that was moved from is empty.
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

  /// Makes room for `bytes` in total plus the padding, in a single allocation of exactly that size.
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

  /// Returns room for `bytes` more at the end, for the caller to write to. It is not initialized,
  /// so a megabyte read from the network is not written twice.
  std::span<char> prepare(std::size_t bytes) {
    if (size_ + bytes + kPadding > capacity_) {
      grow(std::max(size_ + bytes + kPadding, 2 * capacity_));
    }
    return {bytes_.get() + size_, bytes};
  }
  /// Adds the first `bytes` of the room from `prepare`, which the caller has written, to the
  /// content.
  void commit(std::size_t bytes) noexcept { size_ += bytes; }

  /// Makes the padding readable. Call once, after the last append.
  void finish() {
    reserve(size_);
    std::memset(bytes_.get() + size_, 0, kPadding);
  }

  /// Empties the buffer and keeps its memory.
  void clear() noexcept { size_ = 0; }

  std::string_view view() const& noexcept { return {bytes_.get(), size_}; }
  std::string_view view() && = delete;
  const char* data() const& noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// The number of bytes allocated.
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
