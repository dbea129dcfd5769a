// A run that one process has to itself.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "checkpoint/checkpoint_store.h"
#include "pipeline/owned_parts.h"
#include "run/run_claim.h"
#include "run/run_terms.h"

namespace everyitem::run {

/// The owner of a checkpoint's run.
class OwnedRun final : public RunClaim {
 public:
  OwnedRun(std::unique_ptr<checkpoint::CheckpointStore> store, RunTerms terms);

  Awaitable<std::optional<checkpoint::RunState>> claim() override;
  std::string replaced_token() const override { return replaced_token_; }
  Awaitable<checkpoint::RunState> begin(checkpoint::RunState state) override;

  Awaitable<void> enter(Reading /*reading*/) override { co_return; }
  pipeline::RunParts& parts() override;
  Awaitable<void> keep() override { co_return; }
  void drop_rate() override {}

  Awaitable<void> release(const Notice& notice) override;
  Awaitable<std::string> hand_over(const Notice& notice) override;

  bool is_idle() const override { return false; }
  bool has_written() const override { return store_->has_written(); }
  std::optional<checkpoint::SegmentProgress> totals() const override { return std::nullopt; }
  std::string location() const override { return store_->location(); }
  std::string file() const override { return store_->file(); }

 private:
  std::unique_ptr<checkpoint::CheckpointStore> store_;
  RunTerms terms_;
  std::string replaced_token_;
  std::vector<checkpoint::SegmentProgress> start_;  ///< where the parts stand
  std::optional<pipeline::OwnedParts> parts_;
};

}  // namespace everyitem::run
