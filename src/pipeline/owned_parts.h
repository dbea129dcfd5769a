// The parts of a run that this process owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_store.h"
#include "pipeline/run_parts.h"

namespace everyitem::pipeline {

/// Hands out each part once, in the order of their numbers.
class OwnedParts final : public RunParts {
 public:
  /// `start`: where each part stands. The store outlives this.
  OwnedParts(checkpoint::CheckpointStore& store, std::vector<checkpoint::SegmentProgress> start);

  Awaitable<std::optional<checkpoint::SegmentProgress>> next() override;
  Awaitable<void> ended(std::uint32_t part, PartEnd why) override;
  Awaitable<std::vector<std::uint32_t>> save(
      std::vector<checkpoint::SegmentProgress> moved) override;
  Awaitable<void> maintain() override { return store_.maintain(); }
  Awaitable<void> flush() override { return store_.flush(); }
  bool complete() const override { return incomplete_ == 0; }

 private:
  checkpoint::CheckpointStore& store_;
  std::vector<checkpoint::SegmentProgress> left_;  ///< the next one is the last
  std::size_t incomplete_;
};

}  // namespace everyitem::pipeline
