// Linked into the test programs that are not run under the thread sanitizer: ends one that starts a
// thread.
#include <pthread.h>

#include <cstdio>
#include <cstdlib>

extern "C" int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) noexcept {
  std::fputs("this test program started a thread: give it THREADS in its CMakeLists.txt\n", stderr);
  std::abort();
}
