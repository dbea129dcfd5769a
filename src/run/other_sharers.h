// The other processes that share a run, as they were last heard.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "checkpoint/shared_run.h"

namespace everyitem::run {

/// Used from one event loop.
class OtherSharers {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `run` and the clock outlive it. `own_name`: of this process.
  OtherSharers(checkpoint::SharedRun& run, std::string own_name, const Clock& clock)
      : run_(run), own_name_(std::move(own_name)), clock_(clock) {}

  /// Asks the run. One that has told nothing for its lease, by this machine's clock alone, is gone,
  /// and is removed from the run. Throws Error, and knows what it knew before then.
  Awaitable<void> hear();
  TimePoint heard_at() const { return heard_at_; }

  /// Those that are there, in the order of their names.
  const std::vector<checkpoint::Sharer>& all() const { return there_; }
  bool has(const std::string& name) const;
  /// How many of them have parts to read.
  std::size_t reading() const;
  /// Whether one of them could read more.
  bool want_parts() const;
  /// The sum of what they read.
  std::size_t parts() const;
  /// Read units per second that they may use, together.
  double read_units() const;
  /// The lowest rate that the user of one of them has set; nothing if none has.
  std::optional<double> lowest_rate() const;

 private:
  struct Sighting {
    std::uint64_t turn = 0;
    TimePoint at;
  };

  checkpoint::SharedRun& run_;
  const std::string own_name_;
  const Clock& clock_;
  std::vector<checkpoint::Sharer> there_;
  std::map<std::string, Sighting> seen_;
  TimePoint heard_at_;
};

}  // namespace everyitem::run
