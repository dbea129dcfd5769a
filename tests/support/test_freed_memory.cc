#include "support/test_freed_memory.h"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace everyitem::aws {
namespace {

std::string_view g_text;  // must not change while it is searched for
std::atomic<bool> g_looking{false};
std::atomic<int> g_blocks{0};

[[maybe_unused]] void* take(std::size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}

[[maybe_unused]] void give_back(void* block) noexcept {
  if (g_looking && block != nullptr) {
    const std::string_view bytes(static_cast<const char*>(block), malloc_usable_size(block));
    g_blocks += bytes.find(g_text) != std::string_view::npos ? 1 : 0;
  }
  std::free(block);
}

}  // namespace

FreedMemory::FreedMemory(std::string_view text) {
  g_text = text;
  g_blocks = 0;
  g_looking = true;
}

FreedMemory::~FreedMemory() { g_looking = false; }

int FreedMemory::blocks_with_text() const { return g_blocks; }

}  // namespace everyitem::aws

// The static analyzer would follow them into every container, and take what those own for leaked.
#ifndef __clang_analyzer__
// All forms except those for special alignment: with sanitizers, none of them calls another.
void* operator new(std::size_t size) { return everyitem::aws::take(size); }
void* operator new[](std::size_t size) { return everyitem::aws::take(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void operator delete(void* block) noexcept { everyitem::aws::give_back(block); }
void operator delete[](void* block) noexcept { everyitem::aws::give_back(block); }
void operator delete(void* block, std::size_t) noexcept { everyitem::aws::give_back(block); }
void operator delete[](void* block, std::size_t) noexcept { everyitem::aws::give_back(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept {
  everyitem::aws::give_back(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  everyitem::aws::give_back(block);
}
#endif
