// How many cases a simulation, or another test of many seeds, runs through.
#pragma once

#include <cstdlib>
#include <string_view>

namespace everyitem {

/// Whether each case takes many times as long as in the program that users run.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// `few` by default, the same ones each time; `all` with EVERYITEM_SIMULATIONS=all, as
/// `./test --judges simulations` has it.
template <typename T>
T cases(T few, T all) {
  const char* wanted = std::getenv("EVERYITEM_SIMULATIONS");
  return wanted != nullptr && std::string_view(wanted) == "all" ? all : few;
}

}  // namespace everyitem
