// The view is of the buffer's bytes: it must not outlive them.
#include "base/padded_buffer.h"

namespace everyitem {

std::size_t length() {
#ifdef MUST_NOT_COMPILE
  const auto view = PaddedBuffer("text").view();
#else
  const PaddedBuffer buffer("text");
  const auto view = buffer.view();
#endif
  return view.size();
}

}  // namespace everyitem
