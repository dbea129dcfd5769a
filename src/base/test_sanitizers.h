#pragma once

namespace everyitem {

/// Whether this build has the address or the thread sanitizer (`cmake --preset asan`, `tsan`). With
/// a sanitizer a simulation takes up to twenty times as long, and what sanitizers look for does not
/// depend on the number of cases, so tests with many cases run only some of them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderSanitizers = true;
#else
inline constexpr bool kUnderSanitizers = false;
#endif

}  // namespace everyitem
