// What a running scan shows on standard error: on a terminal one line that is rewritten, elsewhere
// one line after the other, each text or JSON, as StandardError says.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/clock.h"
#include "cli/standard_error.h"
#include "run/run_progress.h"
#include "run/run_summary.h"

namespace everyitem::cli {

enum class DisplayMode {
  terminal,      ///< progress is one line, which is rewritten
  lines,         ///< for logs and programs
  notices_only,  ///< a terminal on which the items may appear too: a line would get in their way
  quiet,         ///< neither progress nor notices
};

/// When it is, in the run and for the user.
struct Moment {
  std::chrono::duration<double> elapsed{};         ///< since the start
  std::chrono::duration<double> standing_still{};  ///< since the last delivery
  std::chrono::system_clock::time_point now;
};

/// "12,345 items  30%  4,567 items/s  ..." in at most `columns`: what matters least is left out
/// first, and nothing is cut. Times of day are local.
std::string progress_text(const run::ScanProgress& progress, const run::Rates& rates,
                          const Moment& moment, std::size_t columns);

/// {"event":"summary", ...}: the summary of docs/output.md.
boost::json::object summary_json(const run::RunSummary& summary, std::string_view text);

/// One event loop.
class ProgressDisplay {
 public:
  /// `out` and the clock outlive this. `interval`: between two lines, not on a terminal.
  ProgressDisplay(DisplayMode mode, StandardError& out, const Clock& clock,
                  std::optional<std::chrono::milliseconds> interval = {});

  /// How often to call `update`.
  std::chrono::milliseconds interval() const;

  void update(const run::ScanProgress& progress);
  /// In any mode but quiet.
  void notice(std::string_view text);
  /// In any mode.
  void message(LogLevel level, std::string_view text) { out_.message(level, text); }
  /// The text or, if JSON is written, an object that has it; in any mode. Without a text, the
  /// object alone.
  void summarise(const run::RunSummary& summary, std::string_view text);

 private:
  DisplayMode mode_;
  StandardError& out_;
  const Clock& clock_;
  std::optional<std::chrono::milliseconds> interval_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point last_delivery_;
  std::uint64_t delivered_ = 0;
  run::ProgressWindow window_;
};

}  // namespace everyitem::cli
