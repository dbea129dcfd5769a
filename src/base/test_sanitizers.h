#pragma once

namespace everyitem {

/// Whether this build has the address or the thread sanitizer (`cmake --preset asan`, `tsan`).
/// Under them a simulation takes up to twenty times as long, and what they look for does not depend
/// on how many cases it goes through: tests of many cases take some of them there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderSanitizers = true;
#else
inline constexpr bool kUnderSanitizers = false;
#endif

}  // namespace everyitem
