// Many runs with faults, each with its own seed; prints the results in one line.
#include <algorithm>
#include <cstdint>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "fault_run.h"
#include "shared_fault_run.h"

namespace {

using everyitem::faults::FaultRunResult;

void print(const FaultRunResult& result) {
  fmt::print("{}{}\n", result.as_promised() ? "" : "BROKEN PROMISE: ", result.to_line());
  std::fflush(stdout);
}

int kill(std::uint64_t seed, std::uint64_t kills, bool calm) {
  const FaultRunResult result = everyitem::faults::run_with_kills(seed, kills, calm);
  print(result);
  return result.as_promised() ? 0 : 1;
}

int run_all(std::uint64_t first_seed, std::uint64_t runs, bool verbose) {
  FaultRunResult sum;
  std::uint64_t broken = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    const FaultRunResult result = everyitem::faults::run_with_faults(seed);
    if (verbose || !result.as_promised()) {
      print(result);
    }
    broken += result.as_promised() ? 0 : 1;
    sum.add(result);
  }
  fmt::print(
      "{} runs (seeds {} to {}), {} not as promised: {} items, {} of them undeliverable, {} "
      "faults, "
      "{}, {} requests out of time: {} missing, {} altered, {} in the dead letters, {} duplicates "
      "(at most {} allowed), at most {} pages of a segment read again after a kill\n",
      runs, first_seed, first_seed + runs - 1, broken, sum.items, sum.undeliverable, sum.faults,
      to_text(sum.kills), sum.signatures_out_of_time, sum.missing, sum.received.altered,
      sum.dead_letters.distinct, sum.received.duplicates, sum.duplicates_allowed,
      sum.pages_repeated);
  return broken == 0 ? 0 : 1;
}

int share(std::uint64_t first_seed, std::uint64_t runs, bool verbose) {
  std::uint64_t broken = 0;
  std::uint64_t sharers = 0;
  std::uint64_t taken_over = 0;
  std::uint64_t missing = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t allowed = 0;
  double highest = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    const everyitem::faults::SharedFaultResult result =
        everyitem::faults::share_with_faults(seed, verbose);
    if (verbose || !result.as_promised()) {
      fmt::print("{}\n", result.to_text());
      std::fflush(stdout);
    }
    broken += result.as_promised() ? 0 : 1;
    sharers += result.sharers;
    taken_over += result.taken_over;
    missing += result.missing;
    duplicates += result.received.duplicates;
    allowed += result.duplicates_allowed;
    if (result.rate > 0) {
      highest = std::max(highest, result.max_in_a_minute / 60 / result.rate);
    }
  }
  fmt::print(
      "{} shared runs (seeds {} to {}), {} not as promised: {} sharers, {} parts taken over, {} "
      "missing, {} duplicates (at most {} allowed), at most {:.1f} percent of the rate in any "
      "minute\n",
      runs, first_seed, first_seed + runs - 1, broken, sharers, taken_over, missing, duplicates,
      allowed, 100 * highest);
  return broken == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App program(
      "Scans generated tables with faults of every kind at 1 to 20 percent, and holds what\n"
      "arrived against what was promised. Exit code 1 if that does not hold.");
  std::uint64_t runs = 500;
  std::uint64_t seed = 1;
  std::uint64_t kills = 0;
  bool calm = false;
  bool shared = false;
  bool verbose = false;
  program.add_option("--runs", runs, "How many")->capture_default_str();
  program.add_option("--seed", seed, "Of the first; the next has the next")->capture_default_str();
  program.add_option("--kills", kills, "One run instead, of one scan that is killed so often");
  program.add_flag("--calm", calm, "With --kills: no other faults");
  program.add_flag("--shared", shared, "Runs that several processes share, in simulated time");
  program.add_flag("--verbose", verbose, "A line for every run");
  CLI11_PARSE(program, argc, argv);

  try {
    if (shared) {
      return share(seed, runs, verbose);
    }
    return kills > 0 ? kill(seed, kills, calm) : run_all(seed, runs, verbose);
  } catch (const std::exception& error) {
    fmt::print(stderr, "fault_runs: {}\n", error.what());
    return 2;
  }
}
