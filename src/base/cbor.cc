#include "base/cbor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include <boost/json.hpp>

namespace everyitem {

namespace {

constexpr std::uint8_t kFalse = 20;
constexpr std::uint8_t kTrue = 21;
constexpr std::uint8_t kNull = 22;
constexpr std::uint8_t kUndefined = 23;
constexpr std::uint8_t kHalf = 25;
constexpr std::uint8_t kSingle = 26;
constexpr std::uint8_t kDouble = 27;

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

void CborReader::fail(const char* reason) { throw CborError(reason); }

std::uint64_t CborReader::unsigned_integer() {
  next();
  const Head value = head();
  if (value.type != CborType::unsigned_integer) {
    fail("expected an unsigned integer");
  }
  return value.number;
}

std::string_view CborReader::joined_string(CborType type, std::string& joined) {
  joined.clear();
  for (Head piece = head(); piece.type != CborType::simple || !piece.indefinite(); piece = head()) {
    if (piece.type != type || piece.indefinite()) {
      fail("expected a piece of a text");
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

void CborReader::skip(int depth) {
  if (depth == 0) {
    fail("nested too deeply");
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
        fail("unexpected break");
      }
  }
}

boost::json::value CborReader::json(int depth) {
  if (depth == 0) {
    fail("nested too deeply");
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
    fail("unexpected break");
  }
  if (value.type == CborType::unsigned_integer) {
    return value.number;
  }
  if (value.type == CborType::negative_integer) {
    // A number beyond the signed range is far from anything counted here.
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
    throw CborError("unexpected data after the end");
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
