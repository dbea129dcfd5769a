// One whole scan against the fault server, made from a seed: the table, the settings, the faults,
// when they strike and when the scan is killed. What the guarantee promises is then looked up in
// what arrived.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "emulator/fault_plan.h"
#include "emulator/received_items.h"

namespace everyitem::faults {

/// When a scan is killed (SIGKILL).
enum class KillMoment {
  scan_arrives,  ///< a Scan request has arrived, and is never answered
  put_arrives,   ///< a PutRecords request has arrived; none of its records are taken
  put_answered,  ///< 0 to 3 ms after the answer to a PutRecords request, when it is checkpointed
};

struct FaultRunResult {
  std::uint64_t seed = 0;
  std::uint64_t items = 0;                ///< of the table
  std::uint64_t undeliverable = 0;        ///< of these, those that the stream never takes
  std::uint64_t missing = 0;              ///< neither in the stream nor in the dead letters
  emulator::ReceivedCounts received;      ///< by the stream
  emulator::ReceivedCounts dead_letters;  ///< items in the file of dead letters
  std::uint64_t requests_over_limits = 0;
  std::uint64_t signatures_refused = 0;
  std::uint64_t signatures_out_of_time = 0;  ///< refused until the client had corrected its clock
  std::uint64_t faults = 0;                  ///< that struck
  std::map<KillMoment, std::uint64_t> kills;
  /// Most records that may have arrived twice: those of requests whose answer was lost or not
  /// understood, and those of pages that were in flight when a process ended.
  std::uint64_t duplicates_allowed = 0;
  /// Most pages of one segment that one kill had read again. Promised: 2.
  std::uint64_t pages_repeated = 0;
  std::string failure;  ///< what ended the run, had it to end; empty when it is complete

  /// Everything that was promised holds.
  bool as_promised() const;
  /// One line, for people.
  std::string to_line() const;
  /// Adds the numbers of another run.
  void add(const FaultRunResult& other);
};

/// "3 kills (2 as a Scan arrived, 1 as a PutRecords arrived, 0 after one was answered)".
std::string to_text(const std::map<KillMoment, std::uint64_t>& kills);

/// Scans a generated table of some hundred to some thousand small items, with faults of every kind
/// that a run can survive at 1 to 20 percent of all requests; in some, the client's clock is wrong
/// and jumps, or the stream is split, or its shards throttle. The scan is a process of its own;
/// every other run's is killed up to four times and started again. The caller must have one thread
/// only.
FaultRunResult run_with_faults(std::uint64_t seed);

/// The same over a table that is large enough for so many kills, each once some thousand more items
/// have arrived. `calm`: no faults but the kills.
FaultRunResult run_with_kills(std::uint64_t seed, std::uint64_t kills, bool calm);

}  // namespace everyitem::faults
