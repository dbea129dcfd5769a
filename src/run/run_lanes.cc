#include "run/run_lanes.h"

#include <algorithm>

#include "base/usable_cores.h"

namespace everyitem::run {

namespace {

/// Threads that a run takes by default: with more it waits for the services, or for memory.
constexpr unsigned kMaxDefaultThreads = 8;

/// An item that is read counts towards the limit, which only one lane can do.
std::size_t lane_count(const ScanSettings& settings, const checkpoint::RunState& state) {
  const auto to_read = static_cast<std::size_t>(std::ranges::count_if(
      state.segments, [](const auto& segment) { return !segment.position.complete; }));
  const std::size_t threads =
      settings.threads.value_or(std::min(usable_cores(), kMaxDefaultThreads));
  return settings.limit ? 1
                        : std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(1, to_read));
}

}  // namespace

RunLanes::RunLanes(const ScanSettings& settings, const checkpoint::RunState& state, RunLoops& loops,
                   Source& source, Destination& destination) {
  loops.grow(lane_count(settings, state));
  const auto parts = static_cast<std::uint32_t>(state.segments.size());
  for (std::size_t i = 0; i < loops.size(); ++i) {
    RunLoop& loop = loops.at(i);
    lanes_.push_back({.executor = loop.executor,
                      .source = source.open(loop, parts),
                      .destination = destination.open(loop, loops.size())});
  }
}

std::vector<pipeline::LaneParts> RunLanes::parts() const {
  std::vector<pipeline::LaneParts> parts;
  parts.reserve(lanes_.size());
  for (const Lane& lane : lanes_) {
    parts.push_back({.executor = lane.executor,
                     .source = *lane.source,
                     .builder = *lane.destination.builder,
                     .sink = *lane.destination.sink});
  }
  return parts;
}

std::uint64_t RunLanes::records_sent_again() const {
  std::uint64_t records = 0;
  for (const Lane& lane : lanes_) {
    records += lane.destination.sink->records_sent_again();
  }
  return records;
}

}  // namespace everyitem::run
