// What an invocation came to: its answer, and its metrics.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/json.hpp>

#include "pipeline/scan_run.h"

namespace everyitem::lambda {

struct RoundReport {
  /// "complete", "handed-over", "limit-reached", "owned-elsewhere", "failed"
  std::string status;
  std::string next;  ///< what comes next, or what is to be done, for people
  std::uint32_t round = 1;
  std::string function;  ///< its name
  std::string table;
  std::string stream;
  pipeline::ScanProgress progress;
  std::chrono::duration<double> elapsed{};
  std::string checkpoint;         ///< empty while it is not known
  std::string dead_letters_file;  ///< likewise
};

/// {"status": "handed-over", "items": ..., ...}. `items` and `bytes` count the whole run,
/// `itemsThisRound` this invocation.
boost::json::object answer_json(const RoundReport& report);

/// One line of CloudWatch's embedded metric format: this invocation's numbers, by function and
/// table. Reference: docs.aws.amazon.com/AmazonCloudWatch, "Specification: Embedded metric format".
boost::json::object metrics_json(const RoundReport& report,
                                 std::chrono::system_clock::time_point now);

}  // namespace everyitem::lambda
