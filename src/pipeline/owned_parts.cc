#include "pipeline/owned_parts.h"

#include <algorithm>

namespace everyitem::pipeline {

namespace {

bool is_complete(const checkpoint::SegmentProgress& part) { return part.position.complete; }

}  // namespace

OwnedParts::OwnedParts(checkpoint::CheckpointStore& store,
                       std::vector<checkpoint::SegmentProgress> start)
    : store_(store), left_(std::move(start)) {
  std::erase_if(left_, is_complete);
  std::ranges::reverse(left_);
  incomplete_ = left_.size();
}

Awaitable<std::optional<checkpoint::SegmentProgress>> OwnedParts::next() {
  if (left_.empty()) {
    co_return std::nullopt;
  }
  checkpoint::SegmentProgress part = std::move(left_.back());
  left_.pop_back();
  co_return part;
}

/// The next process reads it.
Awaitable<void> OwnedParts::ended(std::uint32_t /*part*/, PartEnd /*why*/) { co_return; }

Awaitable<std::vector<std::uint32_t>> OwnedParts::save(
    std::vector<checkpoint::SegmentProgress> moved) {
  const auto complete = static_cast<std::size_t>(std::ranges::count_if(moved, is_complete));
  co_await store_.save(std::move(moved));
  incomplete_ -= complete;
  co_return std::vector<std::uint32_t>();
}

}  // namespace everyitem::pipeline
