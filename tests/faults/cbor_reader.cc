#include "cbor_reader.h"

#include <simdjson.h>

namespace everyitem::faults {

namespace {

constexpr unsigned char kBreak = 0xff;
constexpr unsigned char kNull = 0xf6;
constexpr unsigned kIndefinite = 31;

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

}  // namespace

CborReader::Kind CborReader::kind() const {
  if (rest_.empty()) {
    throw CborError("the document ends too early");
  }
  return static_cast<Kind>(byte(rest_.front()) >> 5);
}

std::string_view CborReader::take(std::uint64_t size) {
  if (size > rest_.size()) {
    throw CborError("the document ends too early");
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

/// Reads a value's head: its kind, and the number that belongs to it.
CborReader::Count CborReader::open(Kind expected) {
  if (kind() != expected) {
    throw CborError("a value of another kind is expected");
  }
  const unsigned argument = byte(take(1).front()) & 31U;
  if (argument < 24) {
    return argument;
  }
  if (argument < 28) {
    std::uint64_t value = 0;
    for (const char c : take(1U << (argument - 24))) {
      value = value << 8 | byte(c);
    }
    return value;
  }
  const bool may_be_indefinite = expected >= Kind::bytes && expected <= Kind::map;
  if (argument != kIndefinite || !may_be_indefinite) {
    throw CborError("a value's head is malformed");
  }
  return std::nullopt;
}

bool CborReader::more(Count& left) {
  if (left) {
    return (*left)-- > 0;
  }
  const bool at_break = !rest_.empty() && byte(rest_.front()) == kBreak;
  rest_.remove_prefix(at_break ? 1 : 0);
  return !at_break;
}

std::uint64_t CborReader::unsigned_number() { return *open(Kind::unsigned_number); }

std::string_view CborReader::string(Kind kind) {
  if (const Count size = open(kind)) {
    return take(*size);
  }
  std::string& whole = joined_.emplace_back();
  for (Count left; more(left);) {
    const Count size = open(kind);
    if (!size) {
      throw CborError("a piece of a string has no length");
    }
    whole += take(*size);
  }
  return whole;
}

std::string_view CborReader::text() {
  const std::string_view value = string(Kind::text);
  if (!simdjson::validate_utf8(value)) {
    throw CborError("a text is not UTF-8");
  }
  return value;
}

void CborReader::null() {
  if (byte(take(1).front()) != kNull) {
    throw CborError("null is expected");
  }
}

void CborReader::skip(int nested) {
  if (nested == 0) {
    throw CborError("the document nests too deep");
  }
  const Kind found = kind();
  switch (found) {
    case Kind::bytes:
      bytes();
      break;
    case Kind::text:
      text();
      break;
    case Kind::array:
    case Kind::map:
      for (Count left = open(found); more(left);) {
        skip(nested - 1);
        if (found == Kind::map) {
          skip(nested - 1);
        }
      }
      break;
    case Kind::tag:
      open(found);
      skip(nested - 1);
      break;
    case Kind::unsigned_number:
    case Kind::negative_number:
    case Kind::simple:
      open(found);
      break;
  }
}

void CborReader::end() const {
  if (!rest_.empty()) {
    throw CborError("something is left behind the document");
  }
}

}  // namespace everyitem::faults
