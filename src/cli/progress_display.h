// What a running scan shows on standard error: on a terminal one line that is rewritten, elsewhere
// JSON objects, one a line. Notices and the closing summary are lines of text.
#pragma once

#include <chrono>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/scan_run.h"

namespace everyitem::cli {

enum class DisplayMode {
  terminal,
  lines,         ///< for logs and programs
  notices_only,  ///< a terminal on which the items may appear too: a line would be in their way
  quiet,         ///< neither progress nor notices
};

/// Recent rates, a second.
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

Estimate estimate(const pipeline::ScanProgress& progress, double items_per_second);

/// How long a run has gone on, and without anything being delivered.
struct Elapsed {
  std::chrono::duration<double> whole{};
  std::chrono::duration<double> standing_still{};
};

/// "12,345 items  4,567 items/s  ..." without a line break; what matters most comes first, so that
/// a narrow terminal shows it.
std::string progress_text(const pipeline::ScanProgress& progress, const Rates& rates,
                          const Elapsed& elapsed);

/// {"event":"progress", ...} without a line break.
std::string progress_json(const pipeline::ScanProgress& progress, const Rates& rates,
                          const Elapsed& elapsed);

/// What a run came to.
struct Summary {
  std::string
      status;  ///< "complete", "already-complete", "limit", "interrupted", "failed", "closed"
  pipeline::ScanProgress progress;
  std::chrono::duration<double> elapsed{};
  std::string checkpoint;    ///< empty for none
  std::string dead_letters;  ///< where they are, if there are some
};

/// {"event":"summary", ...} without a line break.
std::string summary_json(const Summary& summary);

/// "20,000 items (8.1 MB) delivered in 2.3 s: ..." without a line break.
std::string summary_text(const Summary& summary);

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

  /// How often `update` is to be called.
  std::chrono::milliseconds interval() const;

  void update(const pipeline::ScanProgress& progress, std::chrono::steady_clock::time_point now);
  /// "everyitem: TEXT", in any mode but quiet.
  void notice(std::string_view text);
  /// "everyitem: TEXT", in any mode.
  void message(std::string_view text);
  /// The JSON object of the summary, where progress is shown so.
  void summarise(const Summary& summary);

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
