// What a remote store keeps of a run besides the progress of its segments: which run it is, and
// whose.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// The version of the formats that docs/checkpoint_format.md describes.
inline constexpr std::uint64_t kRemoteFormat = 2;

/// What is left of a run whose every segment is complete.
struct FinishedRun {
  SegmentProgress totals;        ///< of all segments together
  std::int64_t finished_at = 0;  ///< seconds since 1970

  friend bool operator==(const FinishedRun&, const FinishedRun&) = default;
};

/// Of a process's name, StoreContext::owner; more is cut off.
inline constexpr std::size_t kMaxOwnerBytes = 200;

struct RunRecord {
  std::string token;             ///< RunState::token
  std::uint64_t version = 0;     ///< one more with each write of this record
  std::uint64_t generation = 0;  ///< one more with each owner
  std::string owner;             ///< the name of the last one
  bool owned = false;            ///< until that one releases it
  std::int64_t renewed_at = 0;   ///< seconds since 1970, by its owner's clock; for people to read
  std::uint32_t segments = 0;    ///< TotalSegments
  std::string identity;          ///< as identity_text
  /// Any number of processes work on it, none of which owns it (SharedRun).
  bool shared = false;
  std::optional<FinishedRun> finished = {};

  friend bool operator==(const RunRecord&, const RunRecord&) = default;
};

/// Progress of a segment as it is stored.
struct StoredSegment {
  SegmentProgress progress;
  std::uint64_t version = 0;  ///< one more with each write of it; 0: nothing is stored
  std::string sharer = {};    ///< of a shared run: who reads it; empty: nobody

  friend bool operator==(const StoredSegment&, const StoredSegment&) = default;
};

/// Seconds since 1970.
std::int64_t seconds_now(const Clock& clock);

/// What `segments`, all complete, add up to.
FinishedRun finished_run(const RunState& state, const Clock& clock);

/// The segments of a run that is finished: their sums are in the first one.
std::vector<StoredSegment> finished_segments(const RunRecord& record);
/// Throws DamagedCheckpoint when its identity cannot be read.
RunState run_state(const RunRecord& record, const std::vector<StoredSegment>& segments,
                   const std::string& location);

/// As it was stored. Throws std::out_of_range when `totals` are not those of complete segments.
FinishedRun finished_run(SegmentProgress totals, std::int64_t finished_at);

/// Nothing when nobody owns the run.
std::optional<RunOwner> owner_of(const RunRecord& record);

/// As JSON: [["table","arn:..."],["filter",""]]. Reading throws an exception of Boost.JSON's or
/// the standard library's.
std::string identity_text(const RunIdentity& identity);
RunIdentity parse_identity(std::string_view text);

/// For the user: the run belongs to another process, which is there.
OwnedByAnother owned_by_another(const std::string& location, const std::string& owner);
/// This process owned the run. `record` is what is there now; nothing when it is gone.
OwnedByAnother taken_over(const std::string& location, const std::optional<RunRecord>& record);
/// For the user: the run has not ended, and is shared, or it is not, other than this process wants.
Error shared_otherwise(const std::string& location, bool is_shared);
/// What is at `location` cannot be read, for the reason that `message` gives.
DamagedCheckpoint damaged_checkpoint(const std::string& location, const std::string& message);
/// Throws DamagedCheckpoint for an older format, Error for a later one.
void require_format(const std::string& location, std::uint64_t format);
/// Throws std::out_of_range when a table cannot be read in this many segments.
void require_segments(std::uint32_t segments);

}  // namespace everyitem::checkpoint
