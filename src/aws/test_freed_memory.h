// Whether memory is given back with a secret still in it. For tests.
#pragma once

#include <string_view>

namespace everyitem::aws {

/// During its life, looks into all that `delete` gives back, on every thread. One at a time; the
/// text outlives it.
class FreedMemory {
 public:
  explicit FreedMemory(std::string_view text);
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;
  ~FreedMemory();

  /// How many blocks held the text.
  int blocks_with_text() const;
};

}  // namespace everyitem::aws
