// What a run came to, as both doors tell it: one set of status words and field names, which
// docs/output.md explains.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "run/scan_run.h"

namespace everyitem::run {

enum class SummaryStatus {
  complete,          ///< every item is delivered, or is a dead letter
  already_complete,  ///< it was before
  limit_reached,     ///< as many items as were asked for
  closed,            ///< the reader of standard output closed the pipe
  interrupted,       ///< stopped; the same command resumes the run
  handed_over,       ///< the next round has been started and continues the run
  owned_elsewhere,   ///< another process works on this run; this one did nothing
  started,           ///< the first round has been started, in another invocation
  not_begun,         ///< there is no run to resume, and none was to begin
  failed,
};

inline constexpr std::array kSummaryStatuses = {
    SummaryStatus::complete,        SummaryStatus::already_complete, SummaryStatus::limit_reached,
    SummaryStatus::closed,          SummaryStatus::interrupted,      SummaryStatus::handed_over,
    SummaryStatus::owned_elsewhere, SummaryStatus::started,          SummaryStatus::not_begun,
    SummaryStatus::failed};

/// "limit-reached"
std::string_view status_word(SummaryStatus status);

/// Of a run that has ended without an error.
SummaryStatus status_of(const ScanOutcome& outcome);

struct RunSummary {
  SummaryStatus status = SummaryStatus::failed;
  std::string table;        ///< its name
  std::string destination;  ///< the stream's name, the file's path, or "-"
  ScanProgress progress;
  std::chrono::duration<double> elapsed{};
  std::string checkpoint;             ///< empty for none, or while it is not known
  std::string dead_letters_location;  ///< the same
  /// Of a run that was complete before: when it was, if that is known.
  std::optional<std::chrono::system_clock::time_point> finished_at = {};
};

/// Every field, in the order of docs/output.md.
boost::json::object to_json(const RunSummary& summary);

/// An object on one line, with numbers as people write them: 12.3, not 1.23E1.
std::string to_line(const boost::json::object& object);

/// With `digits` after the decimal point.
double rounded(double value, int digits);

/// " (since 2026-11-27T03:12:00Z)" for a run that was complete before; empty if that is not known.
std::string since_text(const RunSummary& summary);

/// "20,000 items (8.1 MB) delivered in 2.3 s: ..." without a line break.
std::string numbers_text(const RunSummary& summary);

}  // namespace everyitem::run
