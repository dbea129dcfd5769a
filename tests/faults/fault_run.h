// One whole scan against the fault server, made from a seed: the table, the settings, the faults
// and when they strike. What the guarantee promises is then looked up in what arrived.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "fault_plan.h"
#include "received_items.h"

namespace everyitem::faults {

struct FaultRunResult {
  std::uint64_t seed = 0;
  std::uint64_t items = 0;  ///< of the table
  std::uint64_t missing = 0;
  ReceivedCounts received;
  std::uint64_t requests_over_limits = 0;
  std::uint64_t signatures_refused = 0;
  std::uint64_t faults = 0;         ///< that struck
  std::uint64_t interruptions = 0;  ///< times that the scan was killed
  /// Most records that may have arrived twice: those of requests whose answer was lost or not
  /// understood, and those of pages that were in flight when a process ended.
  std::uint64_t duplicates_allowed = 0;
  std::string failure;  ///< what ended the run, had it to end; empty when it is complete

  /// Everything that was promised holds.
  bool as_promised() const;
  /// One line, for people.
  std::string to_line() const;
};

/// Scans a generated table of some hundred to some thousand small items, with faults of every kind
/// that a run can survive at 1 to 20 percent of all requests. The scan is a process of its own;
/// every other run's is killed (SIGKILL) up to four times at random instants and started again. The
/// caller must have one thread only.
FaultRunResult run_with_faults(std::uint64_t seed);

}  // namespace everyitem::faults
