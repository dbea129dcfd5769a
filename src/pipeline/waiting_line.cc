#include "pipeline/waiting_line.h"

namespace everyitem::pipeline {

Awaitable<void> WaitingLine::pass(std::uint32_t rank) {
  if (waiting_.empty() && open_()) {
    co_return;
  }
  Place place(*this, rank);
  while (!place.is_first() || !open_()) {
    co_await place.woken();
  }
}

void WaitingLine::wake() {
  if (!waiting_.empty()) {
    waiting_.begin()->second->notify_all();
  }
}

}  // namespace everyitem::pipeline
