#include "pipeline/checkpoint_writer.h"

namespace everyitem::pipeline {

Awaitable<void> CheckpointWriter::save_here(std::vector<checkpoint::SegmentProgress> moved) {
  collected_.insert(collected_.end(), std::make_move_iterator(moved.begin()),
                    std::make_move_iterator(moved.end()));
  const std::uint64_t mine = write_begun_ + 1;
  while (write_ended_ < mine) {
    if (write_begun_ == write_ended_) {
      co_await write();
    } else {
      co_await written_.wait();
    }
  }
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

Awaitable<void> CheckpointWriter::write() {
  ++write_begun_;
  std::vector<checkpoint::SegmentProgress> progress = std::exchange(collected_, {});
  try {
    if (!failure_) {
      co_await store_.save(std::move(progress));
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
  ++write_ended_;
  written_.notify_all();
}

}  // namespace everyitem::pipeline
