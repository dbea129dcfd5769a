// Checkpoints in SSM Parameter Store, for runs that have no table at hand
// (docs/checkpoint_format.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/remote_store.h"
#include "checkpoint/ssm_names.h"
#include "checkpoint/ssm_parameters.h"

namespace everyitem::checkpoint {

/// Writes are scarce, so `save` only takes note; `maintain` writes what moved, each group of
/// segments at most every StoreContext::interval, one request at a time, and `flush` the rest. A
/// kill costs what was not yet written: it is read and delivered again.
///
/// Parameter Store has one condition, "not there yet". So nothing that is written is ever written
/// over: each version of the run's record and each write of a group has a name of its own, the
/// highest counts, and the rest is deleted later. A write that lands late is under a name that does
/// not count.
class SsmStore final : public RemoteStore {
 public:
  /// Segments in one parameter: with keys of usual sizes that is 2 to 3 KB.
  static constexpr std::uint32_t kSegmentsPerGroup = 16;

  SsmStore(const SsmLocation& location, const StoreContext& context);

  Awaitable<void> save(std::vector<SegmentProgress> moved) override;
  Awaitable<void> maintain() override;
  Awaitable<void> flush() override;
  bool has_written() const override { return has_written_; }
  std::string location() const override { return parameters_.location(); }

 private:
  struct Group {
    bool moved = false;  ///< and not written
    std::chrono::steady_clock::time_point written_at;
    std::vector<std::string> names = {};      ///< of the parameters that count
    std::vector<std::string> old_names = {};  ///< those before: a stale read may miss the others
  };

  Awaitable<StoredRecord> read_record() override;
  Awaitable<bool> write_record(RunRecord record, StoredRecord before) override;
  Awaitable<std::vector<StoredSegment>> read_segments(const RunRecord& record) override;
  Awaitable<std::vector<std::string>> segment_names(std::string token) override;
  Awaitable<void> remove(std::vector<std::string> names) override;
  void segments_changed() override;
  bool all_is_written() const override;

  RunRecord parse_record(std::uint64_t version, const SsmParameters::Values& values) const;
  std::string group_text(std::size_t group);
  void take_group(const std::string& text, const RunRecord& record,
                  std::vector<StoredSegment>& segments) const;
  Awaitable<void> put_parts(const std::vector<std::string>& names,
                            const std::vector<std::string>& parts);
  Awaitable<void> remove_old_records(std::uint64_t version, const SsmParameters::Values& values);
  Awaitable<void> write_moved(bool whenever);
  Awaitable<void> write_group(std::size_t group);
  bool is_due(const Group& group, bool whenever) const;

  std::chrono::nanoseconds interval_;
  SsmParameters parameters_;
  std::string identity_token_;  ///< of the run whose identity is there
  std::uint64_t writes_ = 0;    ///< of groups, by this object
  bool has_written_ = false;    ///< one of them to its end
  std::vector<Group> groups_;
  std::vector<std::string> superseded_;  ///< parameters that no longer count
  /// As `groups_` and `superseded_`, as they were last read.
  std::vector<Group> found_groups_;
  std::vector<std::string> found_superseded_;
};

inline std::unique_ptr<CheckpointStore> open_store(const SsmLocation& location,
                                                   const StoreContext& context) {
  return std::make_unique<SsmStore>(location, context);
}

}  // namespace everyitem::checkpoint
