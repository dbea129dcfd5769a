// The lanes of a run: on each event loop, what it reads from and what it writes to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/async.h"
#include "checkpoint/checkpoint_store.h"
#include "pipeline/lane.h"
#include "run/destination.h"
#include "run/run_loops.h"
#include "run/scan_settings.h"
#include "run/source.h"
#include "source/page_reader.h"

namespace everyitem::run {

/// Used on the run's own event loop. Destroyed once the loops have ended.
class RunLanes {
 public:
  /// Opens a lane per event loop: as many as the settings say, by default one per core, but no more
  /// than there are parts of `state` to read. A limit of items is kept by one lane alone.
  RunLanes(const ScanSettings& settings, const checkpoint::RunState& state, RunLoops& loops,
           Source& source, Destination& destination);

  std::vector<pipeline::LaneParts> parts() const;
  /// From any thread.
  std::uint64_t records_sent_again() const;

 private:
  struct Lane {
    asio::any_io_executor executor;
    std::unique_ptr<source::PartSource> source;
    LaneDestination destination;
  };

  std::vector<Lane> lanes_;
};

}  // namespace everyitem::run
