// What an invocation came to: its answer, and its metrics.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/json.hpp>

#include "run/run_summary.h"

namespace everyitem::lambda {

struct RoundReport {
  run::RunSummary summary;
  std::uint32_t round = 1;
  std::string next;             ///< what happens next, or what there is to do, for people
  std::string function;         ///< its name
  std::string error_type = {};  ///< empty unless the round has failed
  std::string error_message = {};
};

/// What an invocation that starts a chain of rounds tells whoever sent it.
struct StartReport {
  std::string table;
  std::string destination;
  std::string run;         ///< as lines of the log name it
  std::string checkpoint;  ///< where progress is kept
  std::string log_group;
  std::string follow;  ///< a command that shows what the rounds log
  std::string next;    ///< what happens next, for people
};

boost::json::object start_json(const StartReport& report);

/// Rounds in a row without progress, after `before` of them and one that did `progress`. One that a
/// service throttled does not count, because throttling never fails a run, nor one that only
/// `waited` for the lease of another process.
std::uint32_t rounds_without_progress(std::uint32_t before, const run::ScanProgress& progress,
                                      bool waited);

/// The summary of docs/output.md, with `round` and `next`.
boost::json::object answer_json(const RoundReport& report);

/// One line of CloudWatch's embedded metric format: this round's numbers, by function and table.
/// Reference: docs.aws.amazon.com/AmazonCloudWatch, "Specification: Embedded metric format".
boost::json::object metrics_json(const RoundReport& report,
                                 std::chrono::system_clock::time_point now);

}  // namespace everyitem::lambda
