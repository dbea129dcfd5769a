// Reads CBOR (RFC 8949) as the stream receives it: at memory speed, in views of the document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace everyitem::faults {

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
  Kind kind() const;

  std::uint64_t unsigned_number();
  std::string_view bytes() { return string(Kind::bytes); }
  std::string_view text();
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

  Count open(Kind kind);
  bool more(Count& left);
  std::string_view string(Kind kind);
  void skip(int nested);
  std::string_view take(std::uint64_t size);

  std::string_view rest_;
  std::deque<std::string> joined_;  ///< strings that came in pieces
};

}  // namespace everyitem::faults
