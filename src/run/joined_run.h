// A run that any number of processes share, as one of them has it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "checkpoint/shared_run.h"
#include "run/run_claim.h"
#include "run/sharing.h"

namespace everyitem::run {

/// Whoever comes joins: a run is claimed by nobody, and given up by leaving it. See Sharing.
class JoinedRun final : public RunClaim {
 public:
  /// `name`: of this process in the run. `home`: the event loop. The clock and the random numbers
  /// outlive it.
  JoinedRun(std::unique_ptr<checkpoint::SharedRun> run, std::string name, SharingTerms terms,
            const asio::any_io_executor& home, Clock& clock, Random& random, Notice notice);

  Awaitable<std::optional<checkpoint::RunState>> claim() override;
  std::string replaced_token() const override { return {}; }
  Awaitable<checkpoint::RunState> begin(checkpoint::RunState state) override;

  Awaitable<void> enter(Reading reading) override;
  pipeline::RunParts& parts() override { return sharing_; }
  Awaitable<void> keep() override { return sharing_.take_turns(); }
  void drop_rate() override { sharing_.drop_rate(); }

  Awaitable<void> release(const Notice& notice) override;
  Awaitable<std::string> hand_over(const Notice& notice) override;

  bool is_idle() const override { return entered_ && sharing_.is_idle(); }
  bool has_written() const override { return true; }
  std::optional<checkpoint::SegmentProgress> totals() const override;
  std::string location() const override { return run_->location(); }
  std::string file() const override { return {}; }

 private:
  Awaitable<checkpoint::RunState> state_of(checkpoint::RunRecord record);

  std::unique_ptr<checkpoint::SharedRun> run_;
  Sharing sharing_;
  bool entered_ = false;
};

}  // namespace everyitem::run
