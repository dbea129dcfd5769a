// A process's part in a run that several share: which parts it reads, what it tells the others and
// hears of them, and how much of the read rate it has. See docs/adr/2026-11-28-shared-runs.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/message.h"
#include "checkpoint/shared_run.h"
#include "pipeline/run_parts.h"
#include "run/other_sharers.h"
#include "run/part_ranges.h"
#include "run/rate_claim.h"
#include "run/reading.h"

namespace everyitem::run {

/// What all who share a run must agree on, and what each may set for itself.
struct SharingTerms {
  checkpoint::RunIdentity identity;
  std::optional<std::uint32_t> parts = {};  ///< nothing: as the run has it
  std::optional<double> rate = {};          ///< the lowest of all counts
};

/// Used from one event loop. `join`, or `begin`; `enter`; then `take_turns` alongside all other
/// calls, which may overlap; `leave`. Calls throw Error.
class Sharing final : public pipeline::RunParts {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `run`, the clock and the random numbers outlive it. `name`: of this process in `run`; `home`
  /// the event loop.
  Sharing(checkpoint::SharedRun& run, std::string name, SharingTerms terms,
          const asio::any_io_executor& home, Clock& clock, Random& random, Notice notice = {});

  /// The run that is there; nothing if there is none. Throws a usage error when it goes by other
  /// terms.
  Awaitable<std::optional<checkpoint::RunRecord>> join();
  /// Begins a run of these terms; or joins the one that another process has begun meanwhile, and
  /// returns it.
  Awaitable<std::optional<checkpoint::RunRecord>> begin(checkpoint::RunState state);
  /// This process asks for no rate; those of the others count.
  void drop_rate();

  /// Before the first part: the others know of this process from then on.
  Awaitable<void> enter(Reading reading);
  /// Tells and hears, until cancelled.
  Awaitable<void> take_turns();
  /// Returns all parts that it still has, whatever was read of them, and is not heard of any more.
  /// Throws nothing but what the notice throws.
  Awaitable<void> leave();

  Awaitable<std::optional<checkpoint::SegmentProgress>> next() override;
  Awaitable<void> ended(std::uint32_t part, pipeline::PartEnd why) override;
  /// As SharedRun. Parts that are complete are given up, and do not `end`.
  Awaitable<std::vector<std::uint32_t>> save(
      std::vector<checkpoint::SegmentProgress> moved) override;
  bool complete() const override { return finished_.has_value(); }

  /// What the whole run comes to; nothing while it is not complete.
  const std::optional<checkpoint::FinishedRun>& finished() const { return finished_; }
  /// Whether it has found no part to read.
  bool is_idle() const { return held_.empty(); }
  /// Others that are there, as was last heard.
  std::size_t others() const { return others_.all().size(); }

 private:
  class Waiting;
  class Only;

  void require_terms(const checkpoint::RunRecord& record) const;
  void set_parts(std::uint32_t parts);
  Awaitable<void> look_around();
  Awaitable<void> take_turn();
  Awaitable<void> tell();
  Awaitable<void> say_news();
  Awaitable<void> claim_rate(double rate);
  TimePoint next_action() const;
  TimePoint within(std::chrono::milliseconds time);
  std::optional<double> rate_of_run();
  checkpoint::StoredSegment take_free_part();
  Awaitable<std::optional<checkpoint::SegmentProgress>> claim_part();
  bool looks_hopeless() const;
  bool looks_at_all();
  Awaitable<void> finish();
  std::size_t useful_parts() const;
  bool needs_parts() const;
  bool may_claim() const;
  bool wants_parts() const { return waiting_ > 0 && free_.empty() && needs_parts(); }
  bool has_news() const;
  bool is_idle_for_long() const;
  void leave_rate();
  void let_go(std::uint32_t part);
  void return_surplus();
  std::size_t sharers() const { return others_.all().size() + 1; }

  checkpoint::SharedRun& run_;
  SharingTerms terms_;
  Clock& clock_;
  Random& random_;
  Notice notice_;
  Reading reading_;

  checkpoint::Sharer self_;
  OtherSharers others_;
  TimePoint hears_at_;  ///< the next time
  TimePoint tells_at_;  ///< the same

  std::uint32_t parts_ = 0;                      ///< of the run
  PartRanges ranges_{0};                         ///< the same, as they were seen
  std::uint32_t looks_from_ = 0;                 ///< the next part to look at
  std::optional<TimePoint> looks_at_all_at_;     ///< since nobody else reads
  std::vector<checkpoint::StoredSegment> free_;  ///< parts, as they were last seen
  TimePoint seen_at_;                            ///< when these were
  std::vector<std::uint32_t> held_;              ///< in the order of their claims
  std::set<std::uint32_t> returning_;
  std::set<std::uint32_t> failed_;  ///< parts that this process cannot read
  TimePoint looks_again_;
  TimePoint claims_again_;
  bool looking_ = false;
  bool claiming_ = false;
  int hopeless_looks_ = 0;   ///< one after the other
  std::size_t waiting_ = 0;  ///< readers that found no part
  Event changed_;

  bool has_rate_ = false;  ///< the run
  double claim_ = 0;       ///< of the read rate
  TimePoint reads_until_;  ///< by what it told last
  RateUse use_;
  std::optional<TimePoint> idle_since_;
  bool left_rate_ = false;           ///< to others, because it was idle
  std::optional<double> told_rate_;  ///< to the user
  std::optional<checkpoint::FinishedRun> finished_;
  bool leaving_ = false;
};

}  // namespace everyitem::run
