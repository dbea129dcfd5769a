// How far a running scan is, how fast, when it may end and what holds it back: from two looks at
// its counters. Fields as docs/output.md explains them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include <boost/json.hpp>

#include "checkpoint/checkpoint_store.h"
#include "run/scan_run.h"
#include "source/worker_part.h"

namespace everyitem::run {

/// Per second, in the last few seconds.
struct Rates {
  double items = 0;
  double bytes = 0;
  double records = 0;
  double read_units = 0;
  /// Items that are done, those that a filter left out included: in the last minute.
  double done = 0;
  bool throttled = false;  ///< a service throttled requests meanwhile
};

/// Of the last minute. One event loop.
class ProgressWindow {
 public:
  explicit ProgressWindow(std::chrono::steady_clock::time_point started)
      : samples_{{.time = started, .progress = {}}} {}

  /// Adds a sample.
  Rates update(const ScanProgress& progress, std::chrono::steady_clock::time_point now);

 private:
  struct Sample {
    std::chrono::steady_clock::time_point time;
    ScanProgress progress;
  };

  std::deque<Sample> samples_;  ///< at most one per half second
};

/// By DynamoDB's estimate of the table, which is hours old.
struct Estimate {
  std::optional<double> percent;
  std::optional<double> seconds_left;
  bool exceeded = false;  ///< there are more items than it says
};

/// Items of the whole run that were delivered, left out, or written to the dead letters.
std::uint64_t done_items(const ScanProgress& progress);

Estimate estimate(const ScanProgress& progress, const Rates& rates);

/// What keeps a run from going faster.
enum class Bottleneck {
  read_rate,            ///< the user's
  table,                ///< its read capacity
  destination_records,  ///< the number of records that the destination takes
  destination_bytes,    ///< the bytes that it takes
};

/// Nothing if nothing that is known.
std::optional<Bottleneck> bottleneck(const ScanProgress& progress, const Rates& rates);

/// What earlier processes of a run did, which this one resumes.
ScanProgress progress_before(const checkpoint::RunState& state);

/// Leaves of the segments those of this worker: what the others read counts as complete from the
/// first.
void keep_own_segments(ScanProgress& progress, source::WorkerPart part);

/// {"event":"progress", ...}: the progress of docs/output.md. `elapsed`: since the start.
boost::json::object progress_json(const ScanProgress& progress, const Rates& rates,
                                  std::chrono::duration<double> elapsed);

}  // namespace everyitem::run
