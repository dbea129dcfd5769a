#include "pipeline/waiting_line.h"

namespace everyitem::pipeline {

Awaitable<void> WaitingLine::pass(std::uint32_t rank, const bool& leaves) {
  if (leaves || (waiting_.empty() && open_())) {
    co_return;
  }
  Place place(*this, rank);
  while (!leaves && (!place.is_first() || !open_())) {
    co_await place.woken();
  }
}

void WaitingLine::wake() {
  if (!waiting_.empty()) {
    waiting_.begin()->second->notify_all();
  }
}

void WaitingLine::wake_all() {
  for (const auto& [rank, woken] : waiting_) {
    woken->notify_all();
  }
}

}  // namespace everyitem::pipeline
