// Reads and writes the part of CBOR (RFC 8949) that AWS services use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace everyitem {

/// Thrown if the bytes are not CBOR, are truncated, or hold a different type than requested.
class CborError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class CborType : std::uint8_t {
  unsigned_integer = 0,
  negative_integer = 1,
  bytes = 2,
  text = 3,
  array = 4,
  map = 5,
  tag = 6,
  simple = 7,  ///< true, false, null, and floating-point numbers
};

/// A map or an array of indefinite length: it is opened, and closed by a break.
inline constexpr char kCborOpenMap = '\xbf';
inline constexpr char kCborOpenArray = '\x9f';
inline constexpr char kCborBreak = '\xff';

/// Reads one value after another from the front. Borrows the bytes. The small steps are inline
/// because the result of every record is read with them. Every function throws CborError if the
/// next value has a different type.
class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::size_t bytes_left() const { return rest_.size(); }
  /// The bytes that have not been read yet.
  std::string_view rest() const { return rest_; }
  /// Skips this many bytes of rest(), which the caller knows to be complete values.
  void pass(std::size_t bytes) { rest_.remove_prefix(bytes); }
  /// The type of the next value. Its tags are skipped: those of these services are of no use here.
  CborType next() {
    while (!rest_.empty() && type_of(rest_.front()) == CborType::tag) {
      head();
    }
    if (rest_.empty()) {
      fail("unexpected end of data");
    }
    return type_of(rest_.front());
  }

  std::uint64_t unsigned_integer();
  /// A text or a byte string. Returns a view of the bytes, or of `joined` if it came in pieces.
  std::string_view string(std::string& joined) {
    next();
    const Head value = head();
    if (value.type != CborType::text && value.type != CborType::bytes) {
      fail("expected a text");
    }
    return value.indefinite() ? joined_string(value.type, joined) : take(value.number);
  }
  /// Skips null or undefined if that is the next value, and returns whether it did.
  bool null();
  /// Skips the next value, whatever its type.
  void skip() { skip(kMaxDepth); }

  /// Calls `take(name)` for each member of a map; it must read exactly the member's value.
  template <typename Take>
  void members(Take take) {
    std::string joined;
    Items items = open(CborType::map);
    while (more(items)) {
      take(string(joined));
    }
  }
  /// Calls `take()` for each element of an array; it must read exactly that element.
  template <typename Take>
  void elements(Take take) {
    Items items = open(CborType::array);
    while (more(items)) {
      take();
    }
  }

  /// The next value as JSON; byte strings become texts without conversion.
  boost::json::value json() { return json(kMaxDepth); }

 private:
  /// Responses of these services are nested only a few levels deep.
  static constexpr int kMaxDepth = 32;

  struct Head {
    CborType type = CborType::simple;
    std::uint8_t detail = 0;
    std::uint64_t number = 0;
    bool indefinite() const { return detail == 31; }
  };
  struct Items {
    std::uint64_t left = 0;
    bool indefinite = false;
  };

  [[noreturn]] static void fail(const char* reason);
  static CborType type_of(char byte) {
    return static_cast<CborType>(static_cast<std::uint8_t>(byte) >> 5);
  }

  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size()) {
      fail("unexpected end of data");
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  Head head() {
    const auto first = static_cast<std::uint8_t>(take(1).front());
    Head head{.type = static_cast<CborType>(first >> 5),
              .detail = static_cast<std::uint8_t>(first & 0x1f),
              .number = 0};
    if (head.detail < 24) {
      head.number = head.detail;
    } else if (head.detail < 28) {
      for (const char byte : take(std::uint64_t{1} << (head.detail - 24))) {
        head.number = head.number << 8 | static_cast<std::uint8_t>(byte);
      }
    } else if (!head.indefinite() || head.type == CborType::unsigned_integer ||
               head.type == CborType::negative_integer || head.type == CborType::tag) {
      fail("invalid length");
    }
    return head;
  }

  Items open(CborType type) {
    next();
    const Head opened = head();
    if (opened.type != type) {
      fail(type == CborType::map ? "expected a map" : "expected an array");
    }
    return {.left = opened.number, .indefinite = opened.indefinite()};
  }

  bool more(Items& items) {
    if (!items.indefinite) {
      return items.left-- > 0;
    }
    if (!rest_.empty() && rest_.front() == kCborBreak) {
      rest_.remove_prefix(1);
      return false;
    }
    return true;
  }

  std::string_view joined_string(CborType type, std::string& joined);
  void skip(int depth);
  boost::json::value json(int depth);

  std::string_view rest_;
};

/// Reads a complete document. Throws CborError.
boost::json::value parse_cbor(std::string_view bytes);

/// The maximum size of a value's head, which holds its type and a number.
inline constexpr std::size_t kMaxCborHead = 9;

/// Writes the head of a value of `number` bytes or items to `to`, which has room for kMaxCborHead
/// bytes. Returns the end of the head.
char* write_cbor_head(CborType type, std::uint64_t number, char* to);

void append_cbor_text(std::string& to, std::string_view text);

}  // namespace everyitem
