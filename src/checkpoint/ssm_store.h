// Checkpoints in SSM Parameter Store, for runs that have no table at hand
// (docs/checkpoint_format.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/run_record.h"
#include "checkpoint/ssm_parameters.h"

namespace everyitem::checkpoint {

/// Writes are scarce, so `save` only takes note; `maintain` writes what moved, each group of
/// segments at most every StoreContext::interval, one request at a time, and `flush` the rest. A
/// kill costs what was not yet written: it is read and delivered again.
///
/// Parameter Store has no conditional writes. Before each round of writes the run's parameter is
/// read again, so a process whose run was taken over stops before its next round; what it may write
/// in the instant between is progress that was acknowledged, of an older state, and costs repeats
/// only.
class SsmStore final : public CheckpointStore {
 public:
  /// Segments in one parameter: with keys of usual sizes that is 2 to 3 KB.
  static constexpr std::uint32_t kSegmentsAGroup = 16;

  SsmStore(const SsmLocation& location, StoreContext context);

  Awaitable<std::optional<RunView>> look() override;
  Awaitable<std::optional<RunState>> load() override;
  Awaitable<void> begin(RunState state) override;
  Awaitable<void> save(std::vector<SegmentProgress> moved) override;
  Awaitable<void> maintain() override;
  Awaitable<void> flush() override;
  Awaitable<void> release() override;
  std::string location() const override { return parameters_.location(); }

 private:
  struct Group {
    bool moved = false;  ///< and not written
    std::chrono::steady_clock::time_point written_at;
  };

  std::string run_text(const RunRecord& record) const;
  RunRecord parse_run(const std::string& text);
  std::string group_text(std::size_t group) const;
  void take_group(const std::string& text, std::vector<SegmentProgress>& segments) const;
  Awaitable<std::optional<RunRecord>> read_record();
  Awaitable<void> claim();
  Awaitable<RunState> read_state();
  Awaitable<void> own(RunRecord wanted);
  Awaitable<void> require_ownership();
  Awaitable<void> remove_leftovers();
  Awaitable<void> write_moved(bool whenever);
  Awaitable<void> write_group(std::size_t group);
  bool is_due(const Group& group, bool whenever) const;
  bool renewal_is_due() const;
  void start_from(std::vector<SegmentProgress> segments);

  StoreContext context_;
  SsmParameters parameters_;
  std::optional<RunRecord> record_;  ///< the run's parameter, as it was last seen or written
  std::string identity_name_;        ///< of the parameter that holds the run's identity
  bool owned_ = false;
  std::chrono::steady_clock::time_point renewed_at_;
  std::vector<SegmentProgress> segments_;
  std::vector<Group> groups_;
};

inline std::unique_ptr<CheckpointStore> open_store(const SsmLocation& location,
                                                   const StoreContext& context) {
  return std::make_unique<SsmStore>(location, context);
}

}  // namespace everyitem::checkpoint
