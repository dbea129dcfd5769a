// One run that several processes share, in simulated time, generated from a seed: how many there
// are, when they start and end, which of them are killed, stopped and cut off from the checkpoint
// table, and the faults that their requests meet.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "emulator/received_items.h"

namespace everyitem::faults {

struct SharedFaultResult {
  std::uint64_t seed = 0;
  std::uint64_t sharers = 0;
  std::uint64_t items = 0;
  std::uint64_t undeliverable = 0;  ///< items the stream never accepts
  std::uint64_t missing = 0;        ///< neither in the stream nor among the dead letters
  emulator::ReceivedCounts received;
  emulator::ReceivedCounts dead_letters;
  std::uint64_t duplicates_allowed = 0;
  std::uint64_t faults = 0;
  std::uint64_t terminated = 0;
  std::uint64_t killed = 0;
  std::uint64_t stopped = 0;
  std::uint64_t cut_off = 0;
  std::uint64_t refused = 0;  ///< that came with other settings
  std::uint64_t failed = 0;   ///< that had been cut off
  std::uint64_t taken_over = 0;
  /// From the death of a process until another claimed one of its parts.
  std::chrono::duration<double> slowest_taking{0};
  std::chrono::duration<double> took{0};  ///< of simulated time
  double rate = 0;                        ///< read units per second; 0: none was set
  double max_in_a_minute = 0;             ///< read units that were used in any minute
  std::vector<std::string> broken;        ///< promises, one line each

  bool as_promised() const { return broken.empty(); }
  /// A line for people to read, and one for each broken promise.
  std::string to_text() const;
};

/// `verbose`: also how each process ended, and its notices, on standard output.
SharedFaultResult share_with_faults(std::uint64_t seed, bool verbose = false);

}  // namespace everyitem::faults
