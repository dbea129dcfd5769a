// What a running scan shows on standard error: on a terminal one line that is rewritten, elsewhere
// JSON objects, one per line. Notices and the closing summary are lines of text.
#pragma once

#include <chrono>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "run/run_summary.h"
#include "run/scan_run.h"

namespace everyitem::cli {

enum class DisplayMode {
  terminal,
  lines,         ///< for logs and programs
  notices_only,  ///< a terminal on which the items may appear too: a line would get in their way
  quiet,         ///< neither progress nor notices
};

/// Recent rates, per second.
struct Rates {
  double items = 0;
  double bytes = 0;
  double read_units = 0;
};

/// How far a scan is, by DynamoDB's estimate of the table.
struct Estimate {
  std::optional<double> percent;
  std::optional<double> seconds_left;
};

Estimate estimate(const run::ScanProgress& progress, double items_per_second);

/// How long a run has taken so far, and how long nothing has been delivered.
struct Elapsed {
  std::chrono::duration<double> whole{};
  std::chrono::duration<double> standing_still{};
};

/// "12,345 items  4,567 items/s  ..." without a line break; what matters most comes first, so that
/// a narrow terminal shows it.
std::string progress_text(const run::ScanProgress& progress, const Rates& rates,
                          const Elapsed& elapsed);

/// {"event":"progress", ...}: the progress of docs/output.md.
boost::json::object progress_json(const run::ScanProgress& progress, const Rates& rates,
                                  const Elapsed& elapsed);

/// {"event":"summary", ...}: the summary of docs/output.md.
boost::json::object summary_json(const run::RunSummary& summary);

/// One event loop.
class ProgressDisplay {
 public:
  /// `out` is standard error and outlives this. `started`: when nothing had been delivered.
  ProgressDisplay(DisplayMode mode, std::FILE* out, std::chrono::steady_clock::time_point started)
      : mode_(mode),
        out_(out),
        started_(started),
        last_delivery_(started),
        samples_{{started, {}}} {}

  /// How often to call `update`.
  std::chrono::milliseconds interval() const;

  void update(const run::ScanProgress& progress, std::chrono::steady_clock::time_point now);
  /// "everyitem: TEXT", in any mode but quiet.
  void notice(std::string_view text);
  /// "everyitem: TEXT", in any mode.
  void message(std::string_view text);
  /// The JSON object of the summary, where progress is shown so.
  void summarise(const run::RunSummary& summary);

 private:
  struct Sample {
    std::chrono::steady_clock::time_point time;
    pipeline::RunCounters counters;
  };

  Rates rates(const pipeline::RunCounters& counters, std::chrono::steady_clock::time_point now);
  void clear_line();

  DisplayMode mode_;
  std::FILE* out_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point last_delivery_;
  std::deque<Sample> samples_;  ///< of the last few seconds
  bool line_shown_ = false;
};

}  // namespace everyitem::cli
