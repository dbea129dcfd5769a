#include "pipeline/event_loops.h"

namespace everyitem::pipeline {

void EventLoops::grow(std::size_t count) {
  while (size() < count) {
    others_.push_back(std::make_unique<Loop>());
  }
}

asio::any_io_executor EventLoops::executor(std::size_t place) const {
  return place == 0 ? first_ : others_[place - 1]->context.get_executor();
}

void EventLoops::join() {
  for (const auto& loop : others_) {
    loop->context.stop();
    if (loop->thread.joinable()) {
      loop->thread.join();
    }
  }
}

}  // namespace everyitem::pipeline
