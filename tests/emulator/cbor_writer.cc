#include "emulator/cbor_writer.h"

namespace everyitem::emulator {

CborWriter& CborWriter::byte(unsigned value) {
  out_ += static_cast<char>(value);
  return *this;
}

CborWriter& CborWriter::head(unsigned kind, std::uint64_t argument) {
  if (argument < 24) {
    return byte(kind << 5 | static_cast<unsigned>(argument));
  }
  unsigned exponent = 0;  // of the length of the number that follows
  while (exponent < 3 && argument >> (8U << exponent) != 0) {
    ++exponent;
  }
  byte(kind << 5 | (24 + exponent));
  for (unsigned left = 1U << exponent; left > 0; --left) {
    byte(static_cast<unsigned>(argument >> (8 * (left - 1)) & 0xff));
  }
  return *this;
}

CborWriter& CborWriter::text(std::string_view value) {
  head(3, value.size());
  out_ += value;
  return *this;
}

CborWriter& CborWriter::bytes(std::string_view value) {
  head(2, value.size());
  out_ += value;
  return *this;
}

}  // namespace everyitem::emulator
