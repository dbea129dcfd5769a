#include "pipeline/checkpoint_writer.h"

namespace everyitem::pipeline {

Awaitable<std::vector<std::uint32_t>> CheckpointWriter::save_here(
    std::vector<checkpoint::SegmentProgress> moved) {
  std::vector<std::uint32_t> parts;
  parts.reserve(moved.size());
  for (const checkpoint::SegmentProgress& progress : moved) {
    parts.push_back(progress.segment);
  }
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
  std::erase_if(parts, [this](std::uint32_t part) { return lost_.erase(part) == 0; });
  co_return parts;
}

Awaitable<void> CheckpointWriter::write() {
  ++write_begun_;
  std::vector<checkpoint::SegmentProgress> progress = std::exchange(collected_, {});
  try {
    if (!failure_) {
      const std::vector<std::uint32_t> lost = co_await parts_.save(std::move(progress));
      lost_.insert(lost.begin(), lost.end());
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
  ++write_ended_;
  written_.notify_all();
}

}  // namespace everyitem::pipeline
