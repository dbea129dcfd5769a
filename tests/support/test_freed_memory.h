// For tests: checks whether memory is freed with a secret still in it.
#pragma once

#include <string_view>

namespace everyitem::aws {

/// While it exists, inspects all memory freed by `delete`, on every thread. Only one at a time; the
/// text must outlive it.
class FreedMemory {
 public:
  explicit FreedMemory(std::string_view text);
  FreedMemory(const FreedMemory&) = delete;
  FreedMemory& operator=(const FreedMemory&) = delete;
  ~FreedMemory();

  /// The number of blocks that contained the text.
  int blocks_with_text() const;
};

}  // namespace everyitem::aws
