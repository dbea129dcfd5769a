// CBOR documents: reading and skipping must agree.
#include <string>

#include <boost/json.hpp>

#include "base/cbor.h"
#include "fuzz_target.h"

namespace everyitem {
namespace {

void read(std::string_view bytes) {
  CborReader reader(bytes);
  boost::json::value document;
  try {
    document = reader.json();
  } catch (const CborError&) {
    return;
  }
  CborReader skipping(bytes);
  skipping.skip();
  fuzz::require(skipping.bytes_left() == reader.bytes_left(), "a value has one end");
  fuzz::require(reader.bytes_left() < bytes.size(), "a value has a byte at least");
}

}  // namespace
}  // namespace everyitem

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  everyitem::read(everyitem::fuzz::as_text(data, size));
  return 0;
}
