// Finds the structure of a JSON text with simdjson's first stage, and builds nothing on it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/padded_buffer.h"

namespace everyitem::source {

/// Its memory grows to the largest text and is kept. One thread.
class JsonStructure {
 public:
  JsonStructure();
  ~JsonStructure();
  JsonStructure(const JsonStructure&) = delete;
  JsonStructure& operator=(const JsonStructure&) = delete;

  /// The positions of each brace, bracket, colon and comma outside strings, and of the first byte
  /// of each string and of each other scalar, in ascending order; valid until the next call. Does
  /// not check whether they make sense. Throws aws::MalformedResponse if the text is empty, is not
  /// UTF-8 or has an unterminated string.
  std::span<const std::uint32_t> find(const PaddedBuffer& text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace everyitem::source
