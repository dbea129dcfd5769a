#include "aws/test_freed_memory.h"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace everyitem::aws {
namespace {

std::atomic<const std::string_view*> g_wanted{nullptr};
std::atomic<int> g_blocks{0};

void give_back(void* block) noexcept {
  const std::string_view* wanted = g_wanted;
  if (wanted != nullptr && block != nullptr) {
    const std::string_view bytes(static_cast<const char*>(block), malloc_usable_size(block));
    g_blocks += bytes.find(*wanted) != std::string_view::npos ? 1 : 0;
  }
  std::free(block);
}

std::string_view g_text;

}  // namespace

FreedMemory::FreedMemory(std::string_view text) {
  g_text = text;
  g_blocks = 0;
  g_wanted = &g_text;
}

FreedMemory::~FreedMemory() { g_wanted = nullptr; }

int FreedMemory::blocks_with_text() const { return g_blocks; }

}  // namespace everyitem::aws

// Both, as what one of them takes the other gives back. The forms for arrays and sizes use these.
void* operator new(std::size_t size) {
  if (void* block = std::malloc(size)) {
    return block;
  }
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { everyitem::aws::give_back(block); }
void operator delete(void* block, std::size_t) noexcept { everyitem::aws::give_back(block); }
