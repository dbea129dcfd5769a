// Where the structure of a JSON text is: simdjson's first stage, and nothing built on it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/padded_buffer.h"

namespace everyitem::source {

/// Its memory grows to the largest text and stays. One thread.
class JsonStructure {
 public:
  JsonStructure();
  ~JsonStructure();
  JsonStructure(const JsonStructure&) = delete;
  JsonStructure& operator=(const JsonStructure&) = delete;

  /// The places of each brace, bracket, colon and comma outside of strings, and of the first byte
  /// of each string and of each other scalar, rising; valid until the next call. Whether these make
  /// sense is not looked at. Throws aws::MalformedResponse when the text is not UTF-8, has a string
  /// that does not end, or is empty.
  std::span<const std::uint32_t> find(const PaddedBuffer& text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::source
