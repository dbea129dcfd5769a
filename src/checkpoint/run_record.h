// What a remote store keeps of a run beside the progress of its segments: what run it is, and
// whose.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/clock.h"
#include "checkpoint/checkpoint_store.h"

namespace everyitem::checkpoint {

/// The version of the formats that docs/checkpoint_format.md describes.
inline constexpr std::uint64_t kRemoteFormat = 1;

struct RunRecord {
  std::uint32_t segments = 0;
  std::string owner;
  /// Grows with each owner and each run, also over the end of a record, since it is no less than
  /// the seconds since 1970 at which it was given.
  std::uint64_t epoch = 0;
  /// The epoch in which the run began: what was written in an earlier one is of another run.
  std::uint64_t begun = 0;
  /// Seconds since 1970, at which others may take the run. 0: nobody owns it.
  std::int64_t lease_until = 0;

  friend bool operator==(const RunRecord&, const RunRecord&) = default;
};

/// Seconds since 1970.
std::int64_t seconds_now(const Clock& clock);

bool is_owned(const RunRecord& record, const Clock& clock);

RunOwner owner_of(const RunRecord& record);

/// `record` with `owner` as its next owner, from now on.
RunRecord claimed(RunRecord record, const std::string& owner, const Clock& clock);

/// The record of a run that begins now, after the one that was there.
RunRecord begun(const std::optional<RunRecord>& before, std::size_t segments,
                const std::string& owner, const Clock& clock);

/// `record` with the lease that it has when it is renewed now.
RunRecord renewed(RunRecord record, const Clock& clock);

/// `record` without an owner.
RunRecord released(RunRecord record);

/// As JSON: [["table","arn:..."],["filter",""]]. Reading throws an exception of Boost.JSON's or
/// standard library's.
std::string identity_text(const RunIdentity& identity);
RunIdentity parse_identity(std::string_view text);

/// For the user: `record` is another process's.
OwnedByAnother owned_by_another(const std::string& location, const RunRecord& record,
                                const Clock& clock);
/// This process was its owner. `record` is what is there now; nothing when it is gone.
OwnedByAnother taken_over(const std::string& location, const std::optional<RunRecord>& record);
/// What is at `location` cannot be a checkpoint, for the reason that `message` gives.
Error not_a_checkpoint(const std::string& location, const std::string& message);
/// Throws Error when a format cannot be read by this version.
void require_format(const std::string& location, std::uint64_t format);

}  // namespace everyitem::checkpoint
