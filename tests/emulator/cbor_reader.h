// Reads the CBOR (RFC 8949) that the stream receives, at memory speed, as views of the document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace everyitem::emulator {

/// The document is malformed, or has a different type than requested.
class CborError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads one document from beginning to end. Results are valid as long as the document and the
/// reader. Every function may throw CborError.
class CborReader {
 public:
  enum class Kind {
    unsigned_number = 0,
    negative_number = 1,
    bytes = 2,
    text = 3,
    array = 4,
    map = 5,
    tag = 6,
    simple = 7,  ///< false, true, null, undefined and floating point
  };

  explicit CborReader(std::string_view document) : rest_(document) {}

  /// The kind of the next value.
  Kind kind() const {
    if (rest_.empty()) {
      fail("the document ends too early");
    }
    return static_cast<Kind>(byte(rest_.front()) >> 5);
  }

  std::uint64_t unsigned_number();
  std::string_view bytes() { return string(Kind::bytes); }
  std::string_view text() {
    const std::string_view value = string(Kind::text);
    if (!is_ascii(value) && !is_utf8(value)) {
      fail("a text is not UTF-8");
    }
    return value;
  }
  void null();

  /// Calls `element` for each element of the array; it must read exactly that element.
  template <typename Element>
  void array(Element element) {
    for (Count left = open(Kind::array); more(left);) {
      element();
    }
  }
  /// Calls `entry(name)` for each entry of a map whose names are texts; it must read the value.
  template <typename Entry>
  void map(Entry entry) {
    for (Count left = open(Kind::map); more(left);) {
      entry(text());
    }
  }

  void skip() { skip(kMaxNesting); }
  /// Throws if anything follows the document.
  void end() const;

 private:
  /// Deeper than any request, and still little for the stack.
  static constexpr int kMaxNesting = 64;

  /// The size of a string, an array or a map; nothing if a break ends it.
  using Count = std::optional<std::uint64_t>;

  static constexpr unsigned kArgument = 31;  ///< the bits of a value's first byte
  static constexpr unsigned char kBreak = 0xff;

  [[noreturn]] static void fail(const char* reason);
  static unsigned char byte(char c) { return static_cast<unsigned char>(c); }
  /// Faster than is_utf8 for texts of a few bytes, as most are.
  static bool is_ascii(std::string_view text) {
    unsigned char all = 0;
    for (const char c : text) {
      all |= byte(c);
    }
    return all < 0x80;
  }
  static bool is_utf8(std::string_view text);

  /// Reads a value's head: its kind, and the number that belongs to it.
  Count open(Kind expected) {
    if (kind() != expected) {
      fail("a value of another kind is expected");
    }
    const unsigned argument = byte(rest_.front()) & kArgument;
    if (argument >= 24) {
      return open_long(expected);
    }
    rest_.remove_prefix(1);
    return argument;
  }
  Count open_long(Kind expected);
  bool more(Count& left) {
    if (left) {
      return (*left)-- > 0;
    }
    const bool at_break = !rest_.empty() && byte(rest_.front()) == kBreak;
    rest_.remove_prefix(at_break ? 1 : 0);
    return !at_break;
  }
  std::string_view string(Kind kind) {
    const Count size = open(kind);
    return size ? take(*size) : joined(kind);
  }
  std::string_view joined(Kind kind);
  void skip(int nested);
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) {
      fail("the document ends too early");
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
  std::deque<std::string> joined_;  ///< strings that arrived in pieces
};

}  // namespace everyitem::emulator
