#include "emulator/cbor_reader.h"

#include <simdjson.h>

namespace everyitem::emulator {

namespace {

constexpr unsigned char kNull = 0xf6;
constexpr unsigned kIndefinite = 31;

}  // namespace

void CborReader::fail(const char* reason) { throw CborError(reason); }

/// Reads the head of a value whose number follows the first byte.
CborReader::Count CborReader::open_long(Kind expected) {
  const unsigned argument = byte(take(1).front()) & kArgument;
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

std::uint64_t CborReader::unsigned_number() { return *open(Kind::unsigned_number); }

std::string_view CborReader::joined(Kind kind) {
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

bool CborReader::is_utf8(std::string_view text) { return simdjson::validate_utf8(text); }

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
    throw CborError("there is data after the document");
  }
}

}  // namespace everyitem::emulator
