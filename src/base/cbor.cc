#include "base/cbor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include <boost/json.hpp>

namespace everyitem {

namespace {

constexpr std::uint8_t kBreak = 0xff;
constexpr std::uint8_t kFalse = 20;
constexpr std::uint8_t kTrue = 21;
constexpr std::uint8_t kNull = 22;
constexpr std::uint8_t kUndefined = 23;
constexpr std::uint8_t kHalf = 25;
constexpr std::uint8_t kSingle = 26;
constexpr std::uint8_t kDouble = 27;

CborType type_of(char byte) { return static_cast<CborType>(static_cast<std::uint8_t>(byte) >> 5); }

/// RFC 8949, appendix D.
double half_precision(std::uint64_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 0x1f);
  const auto mantissa = static_cast<double>(bits & 0x3ff);
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent == 31) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace

std::string_view CborReader::take(std::uint64_t bytes) {
  if (bytes > rest_.size()) {
    throw CborError("it ends too soon");
  }
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(taken.size());
  return taken;
}

CborReader::Head CborReader::head() {
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
    throw CborError("it has a length that means nothing");
  }
  return head;
}

CborType CborReader::next() {
  while (!rest_.empty() && type_of(rest_.front()) == CborType::tag) {
    head();
  }
  if (rest_.empty()) {
    throw CborError("it ends too soon");
  }
  return type_of(rest_.front());
}

std::uint64_t CborReader::unsigned_integer() {
  next();
  const Head value = head();
  if (value.type != CborType::unsigned_integer) {
    throw CborError("it has something else where a count should be");
  }
  return value.number;
}

std::string_view CborReader::string(std::string& joined) {
  next();
  const Head value = head();
  if (value.type != CborType::text && value.type != CborType::bytes) {
    throw CborError("it has something else where a text should be");
  }
  if (!value.indefinite()) {
    return take(value.number);
  }
  joined.clear();
  for (Head piece = head(); piece.type != CborType::simple || !piece.indefinite(); piece = head()) {
    if (piece.type != value.type || piece.indefinite()) {
      throw CborError("it has something else in a text that comes in pieces");
    }
    joined += take(piece.number);
  }
  return joined;
}

bool CborReader::null() {
  if (next() != CborType::simple) {
    return false;
  }
  const auto detail = static_cast<std::uint8_t>(static_cast<std::uint8_t>(rest_.front()) & 0x1f);
  if (detail != kNull && detail != kUndefined) {
    return false;
  }
  rest_.remove_prefix(1);
  return true;
}

CborReader::Items CborReader::open(CborType type) {
  next();
  const Head head_of_items = head();
  if (head_of_items.type != type) {
    throw CborError(type == CborType::map ? "it has something else where a map should be"
                                          : "it has something else where an array should be");
  }
  return {.left = head_of_items.number, .indefinite = head_of_items.indefinite()};
}

bool CborReader::more(Items& items) {
  if (!items.indefinite) {
    return items.left-- > 0;
  }
  if (!rest_.empty() && static_cast<std::uint8_t>(rest_.front()) == kBreak) {
    rest_.remove_prefix(1);
    return false;
  }
  return true;
}

void CborReader::skip(int depth) {
  if (depth == 0) {
    throw CborError("it is nested too deeply");
  }
  std::string joined;
  switch (next()) {
    case CborType::bytes:
    case CborType::text:
      string(joined);
      return;
    case CborType::array: {
      Items items = open(CborType::array);
      while (more(items)) {
        skip(depth - 1);
      }
      return;
    }
    case CborType::map: {
      Items items = open(CborType::map);
      while (more(items)) {
        skip(depth - 1);
        skip(depth - 1);
      }
      return;
    }
    default:
      if (head().indefinite()) {
        throw CborError("it ends what was not begun");
      }
  }
}

boost::json::value CborReader::json(int depth) {
  if (depth == 0) {
    throw CborError("it is nested too deeply");
  }
  std::string joined;
  switch (next()) {
    case CborType::bytes:
    case CborType::text:
      return boost::json::string(string(joined));
    case CborType::array: {
      boost::json::array array;
      Items items = open(CborType::array);
      while (more(items)) {
        array.push_back(json(depth - 1));
      }
      return array;
    }
    case CborType::map: {
      boost::json::object object;
      Items items = open(CborType::map);
      while (more(items)) {
        const std::string name(string(joined));
        object[name] = json(depth - 1);
      }
      return object;
    }
    default:
      break;
  }
  const Head value = head();
  if (value.indefinite()) {
    throw CborError("it ends what was not begun");
  }
  if (value.type == CborType::unsigned_integer) {
    return value.number;
  }
  if (value.type == CborType::negative_integer) {
    // One that no signed integer holds is far from anything that is counted here.
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return -1 - static_cast<std::int64_t>(std::min(value.number, kLargest));
  }
  switch (value.detail) {
    case kFalse:
    case kTrue:
      return value.detail == kTrue;
    case kHalf:
      return half_precision(value.number);
    case kSingle:
      return std::bit_cast<float>(static_cast<std::uint32_t>(value.number));
    case kDouble:
      return std::bit_cast<double>(value.number);
    default:
      return nullptr;
  }
}

boost::json::value parse_cbor(std::string_view bytes) {
  CborReader reader(bytes);
  boost::json::value document = reader.json();
  if (!reader.at_end()) {
    throw CborError("it has bytes behind its end");
  }
  return document;
}

char* write_cbor_head(CborType type, std::uint64_t number, char* to) {
  const auto start = static_cast<std::uint8_t>(static_cast<std::uint8_t>(type) << 5);
  if (number < 24) {
    *to = static_cast<char>(start | number);
    return to + 1;
  }
  const int power = number <= 0xff ? 0 : number <= 0xffff ? 1 : number <= 0xffffffff ? 2 : 3;
  *to++ = static_cast<char>(start | (24 + power));
  for (int byte = (1 << power) - 1; byte >= 0; --byte) {
    *to++ = static_cast<char>(number >> (8 * byte));
  }
  return to;
}

void append_cbor_text(std::string& to, std::string_view text) {
  std::array<char, kMaxCborHead> head;
  to.append(head.data(), write_cbor_head(CborType::text, text.size(), head.data()));
  to.append(text);
}

}  // namespace everyitem
