// Many runs with faults, each from a seed of its own; what they found, in one line.
#include <cstdint>
#include <exception>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "fault_run.h"

int main(int argc, char** argv) {
  CLI::App program(
      "Scans generated tables with faults of every kind at 1 to 20 percent, and holds what\n"
      "arrived against what was promised. Exit code 1 if a run was not as promised.");
  std::uint64_t runs = 500;
  std::uint64_t first_seed = 1;
  bool verbose = false;
  program.add_option("--runs", runs, "How many")->capture_default_str();
  program.add_option("--first-seed", first_seed, "Of the first; the next has the next")
      ->capture_default_str();
  program.add_flag("--verbose", verbose, "A line for every run");
  CLI11_PARSE(program, argc, argv);

  everyitem::faults::FaultRunResult sum;
  std::uint64_t broken = 0;
  try {
    for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
      const auto result = everyitem::faults::run_with_faults(seed);
      if (verbose || !result.as_promised()) {
        fmt::print("{}{}\n", result.as_promised() ? "" : "BROKEN PROMISE: ", result.to_line());
        std::fflush(stdout);
      }
      broken += result.as_promised() ? 0 : 1;
      sum.items += result.items;
      sum.faults += result.faults;
      sum.interruptions += result.interruptions;
      sum.missing += result.missing;
      sum.received.altered += result.received.altered;
      sum.received.duplicates += result.received.duplicates;
      sum.duplicates_allowed += result.duplicates_allowed;
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "fault_runs: {}\n", error.what());
    return 2;
  }
  fmt::print(
      "{} runs (seeds {} to {}), {} not as promised: {} items, {} faults, {} kills: {} missing, {} "
      "altered, {} duplicates (at most {} allowed)\n",
      runs, first_seed, first_seed + runs - 1, broken, sum.items, sum.faults, sum.interruptions,
      sum.missing, sum.received.altered, sum.received.duplicates, sum.duplicates_allowed);
  return broken == 0 ? 0 : 1;
}
