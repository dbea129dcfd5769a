// Reads and writes CBOR (RFC 8949) as far as AWS's services use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace everyitem {

/// Thrown when bytes are not CBOR, end too soon, or are not what was asked for.
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
  simple = 7,  ///< true, false, null, and numbers with a fraction
};

/// A map or an array whose number of items stands nowhere: it is opened, and closed by a break.
inline constexpr char kCborOpenMap = '\xbf';
inline constexpr char kCborOpenArray = '\x9f';
inline constexpr char kCborBreak = '\xff';

/// Reads one value after the other from the front. Borrows the bytes. Its steps stand here so that
/// the compiler sees them: the result of every record is read with them. Every function throws
/// CborError when the next value is not of its kind.
class CborReader {
 public:
  explicit CborReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::size_t bytes_left() const { return rest_.size(); }
  /// What is not read yet.
  std::string_view rest() const { return rest_; }
  /// Passes over bytes that the caller knows to be whole values, of rest().
  void pass(std::size_t bytes) { rest_.remove_prefix(bytes); }
  /// The type of the next value, its tags passed over: these services' mean nothing to us.
  CborType next() {
    while (!rest_.empty() && type_of(rest_.front()) == CborType::tag) {
      head();
    }
    if (rest_.empty()) {
      fail("it ends too soon");
    }
    return type_of(rest_.front());
  }

  std::uint64_t unsigned_integer();
  /// A text or a byte string. A view of the bytes; where it came in pieces, of `joined`.
  std::string_view string(std::string& joined) {
    next();
    const Head value = head();
    if (value.type != CborType::text && value.type != CborType::bytes) {
      fail("it has something else where a text should be");
    }
    return value.indefinite() ? joined_string(value.type, joined) : take(value.number);
  }
  /// Passes over null or undefined, if that is what comes.
  bool null();
  /// Passes over the next value, whatever it is.
  void skip() { skip(kMaxDepth); }

  /// Calls `take(name)` for each member of a map; it must read just the member's value.
  template <typename Take>
  void members(Take take) {
    std::string joined;
    Items items = open(CborType::map);
    while (more(items)) {
      take(string(joined));
    }
  }
  /// Calls `take()` for each element of an array; it must read just that element.
  template <typename Take>
  void elements(Take take) {
    Items items = open(CborType::array);
    while (more(items)) {
      take();
    }
  }

  /// The next value as JSON; byte strings become texts as they are.
  boost::json::value json() { return json(kMaxDepth); }

 private:
  /// What these services answer is nested a few levels deep; bytes that say otherwise are not.
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
      fail("it ends too soon");
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
      fail("it has a length that means nothing");
    }
    return head;
  }

  Items open(CborType type) {
    next();
    const Head opened = head();
    if (opened.type != type) {
      fail(type == CborType::map ? "it has something else where a map should be"
                                 : "it has something else where an array should be");
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

/// Reads a whole document. Throws CborError.
boost::json::value parse_cbor(std::string_view bytes);

/// The largest head of a value: its type and a number.
inline constexpr std::size_t kMaxCborHead = 9;

/// Writes the head of a value that is `number` bytes or items long to `to`, which has room for
/// kMaxCborHead bytes; returns the end of it.
char* write_cbor_head(CborType type, std::uint64_t number, char* to);

void append_cbor_text(std::string& to, std::string_view text);

}  // namespace everyitem
