// What the user asks of the run that a process claims, and how the run that is stored differs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_store.h"

namespace everyitem::run {

struct RunTerms {
  checkpoint::RunIdentity identity;
  std::optional<std::uint32_t> parts = {};  ///< nothing: as the run has it, or as is chosen
  bool restart = false;
  /// When the restart was asked for, in milliseconds since 1970; nothing: it always starts over.
  std::optional<std::int64_t> restart_asked_at = {};
  bool only_resumes = false;  ///< begins nothing
};

/// A client that was not answered asks again. A restart asked for this soon after the one that
/// began the run is the same, as long as the run is not complete.
inline constexpr std::chrono::minutes kSameRestart{5};

/// What a run that a restart has begun remembers of it, as a part of its identity that is not
/// compared; nothing when the terms do not say when it was asked for.
checkpoint::RunIdentity restart_mark(const RunTerms& terms);
/// Whether the restart that the terms ask for has begun `state` already.
bool is_same_restart(const checkpoint::RunState& state, const RunTerms& terms);

/// One line for each of the terms that a run of `parts` parts goes against: "filter: was none, is
/// now "a = :b"".
std::vector<std::string> changed_terms(const checkpoint::RunIdentity& identity, std::size_t parts,
                                       const RunTerms& terms);

/// The run to resume from what is `stored` at `location`; nothing if a new one begins: for a
/// restart, and when a run was stored that has not read anything and goes by other terms (a
/// filter that was rejected, say, and is now corrected). Throws a usage error when the stored run
/// goes by other terms.
std::optional<checkpoint::RunState> resumable(std::optional<checkpoint::RunState> stored,
                                              const RunTerms& terms, const std::string& location);

}  // namespace everyitem::run
