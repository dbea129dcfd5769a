// Reads CBOR (RFC 8949) as the stream receives it: at memory speed, in views of the document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace everyitem::emulator {

/// The document is malformed, or has something else than was asked for.
class CborError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads one document from its beginning to its end. What it returns is valid as long as the
/// document and the reader are. Everything may throw CborError.
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

  /// Of the value that comes next.
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

  /// Calls `element` as often as the array has elements; it must read one.
  template <typename Element>
  void array(Element element) {
    for (Count left = open(Kind::array); more(left);) {
      element();
    }
  }
  /// Calls `entry` with each name of a map whose names are text; it must read the value.
  template <typename Entry>
  void map(Entry entry) {
    for (Count left = open(Kind::map); more(left);) {
      entry(text());
    }
  }

  void skip() { skip(kMostNested); }
  /// Throws where something is left behind the document.
  void end() const;

 private:
  /// More than any request nests, and little for the stack.
  static constexpr int kMostNested = 64;

  /// Of a string, or of what an array or a map has; nothing where a break ends it.
  using Count = std::optional<std::uint64_t>;

  static constexpr unsigned kArgument = 31;  ///< of a value's first byte
  static constexpr unsigned char kBreak = 0xff;

  [[noreturn]] static void fail(const char* reason);
  static unsigned char byte(char c) { return static_cast<unsigned char>(c); }
  /// Of texts that are mostly a few bytes long, sooner than is_utf8.
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
  std::deque<std::string> joined_;  ///< strings that came in pieces
};

}  // namespace everyitem::emulator
