// One complete scan against the fault server, generated from a seed: the table, the settings, the
// faults, when they strike and when the scan is killed. Afterwards, the promises of the guarantee
// are checked against what arrived.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "emulator/emulated_services.h"
#include "emulator/fault_plan.h"
#include "emulator/received_items.h"

namespace everyitem::faults {

/// When a scan is killed (SIGKILL).
enum class KillMoment {
  scan_arrives,  ///< a Scan request has arrived, and never gets a response
  put_arrives,   ///< a PutRecords request has arrived; none of its records is accepted
  put_answered,  ///< 0 to 3 ms after the response to a PutRecords request, while it is checkpointed
  letter_arrives,   ///< a dead letter for a table has arrived, and is not written
  letter_answered,  ///< 0 to 3 ms after the response to one
};

/// The dead letters that runs have written into the table kLetters, as the items whose keys they
/// hold.
emulator::ReceivedCounts letters_in_table(const emulator::EmulatedServices& services,
                                          const emulator::GeneratedTable& table);

/// The faults a scan must survive however often they strike; the others end it by design.
bool can_be_survived(emulator::Fault fault);
/// After these the records of a PutRecords request may have been taken without the client knowing.
bool loses_the_answer(emulator::Fault fault);

struct FaultRunResult {
  std::uint64_t seed = 0;
  std::uint64_t items = 0;                ///< items of the table
  std::uint64_t undeliverable = 0;        ///< items the stream never accepts
  std::uint64_t missing = 0;              ///< neither in the stream nor in the dead letters
  emulator::ReceivedCounts received;      ///< items received by the stream
  emulator::ReceivedCounts dead_letters;  ///< items in the file, or the table, of dead letters
  std::uint64_t requests_over_limits = 0;
  std::uint64_t signatures_refused = 0;
  std::uint64_t signatures_out_of_time = 0;  ///< rejected until the client had corrected its clock
  std::uint64_t faults = 0;                  ///< faults that struck
  std::map<KillMoment, std::uint64_t> kills;
  /// The maximum number of records that may have arrived twice: those in requests whose response
  /// was lost or unusable, and those of pages in flight when a process ended.
  std::uint64_t duplicates_allowed = 0;
  /// The maximum number of pages of a segment that were read again after a kill. Promised: 2.
  std::uint64_t pages_repeated = 0;
  std::string failure;  ///< what ended the run; empty if it is complete

  /// Whether every promise was kept.
  bool as_promised() const;
  /// A line for people to read.
  std::string to_line() const;
  /// Adds the numbers of another run.
  void add(const FaultRunResult& other);
};

/// "3 kills (2 as a Scan arrived, 1 as a PutRecords arrived, 0 after one was answered, 0 as a dead
/// letter was written)".
std::string to_text(const std::map<KillMoment, std::uint64_t>& kills);

/// Scans a generated table of a few hundred to a few thousand small items, with every kind of fault
/// that a run can survive at 1 to 20 percent of all requests. In some runs the client's clock is
/// wrong and jumps, the stream is split, or its shards throttle. The scan runs in a separate
/// process, which in every other run is killed up to four times and started again. The caller must
/// have only one thread.
FaultRunResult run_with_faults(std::uint64_t seed);

/// The same over a table that is large enough for `kills` kills, each after a few thousand more
/// items have arrived. `calm`: no faults except the kills.
FaultRunResult run_with_kills(std::uint64_t seed, std::uint64_t kills, bool calm);

}  // namespace everyitem::faults
