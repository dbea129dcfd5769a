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
#include "pipeline/run_report.h"
#include "run/destination.h"

namespace everyitem::run {

/// For the progress display. Numbers of this process, unless they say otherwise.
struct ScanProgress {
  pipeline::RunCounters counters;
  std::uint32_t segments = 0;             ///< 0 until the run has begun to read
  std::uint64_t items_before = 0;         ///< delivered by other processes of this run
  std::uint64_t bytes_before = 0;         ///< of all items that these were done with
  std::uint64_t dead_letters_before = 0;  ///< the same
  /// By DynamoDB's own estimate; 0: unknown.
  std::uint64_t estimated_items = 0;
  std::uint64_t throttled_requests = 0;
  std::uint64_t records_sent_again = 0;
  std::uint64_t requests_retried = 0;
  std::optional<double> read_rate;  ///< read units per second, of all who share the run
  double read_capacity = 0;         ///< the table's, in read units per second; 0: not known
  DestinationLimit destination_limit;
  bool shared = false;  ///< other processes may work on the run at the same time
  /// What other processes do, or have done, is known, and how many segments are complete.
  bool others_known = true;
  bool filtered = false;  ///< not all items that are read are delivered
  bool resumed = false;   ///< earlier processes of the run have done something
  bool saved = false;     ///< the checkpoint has moved, durably
  bool begun = false;     ///< the run's record is durable: the next process can resume the run

  std::uint64_t dead_letters() const { return dead_letters_before + counters.dead_letters; }
  /// What this process may read, in read units per second; 0: not known.
  double read_limit() const { return shared ? 0 : read_rate.value_or(read_capacity); }
};

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

/// A count that other processes add to; null if what these do is not known.
boost::json::value with_others_or_null(const ScanProgress& progress, std::uint64_t count);

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

/// Adds what the other processes of a shared run did, of what all of it comes to: it is complete.
void count_others(ScanProgress& progress, const checkpoint::SegmentProgress& totals);

/// {"event":"progress", ...}: the progress of docs/output.md. `elapsed`: since the start.
boost::json::object progress_json(const ScanProgress& progress, const Rates& rates,
                                  std::chrono::duration<double> elapsed);

}  // namespace everyitem::run
