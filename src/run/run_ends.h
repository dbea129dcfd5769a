// The two ends of a run, what it reads and what it fills, and what follows from them alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/async.h"
#include "base/message.h"
#include "run/destination.h"
#include "run/run_forecast.h"
#include "run/run_kinds.h"
#include "run/run_services.h"
#include "run/run_terms.h"
#include "run/scan_settings.h"
#include "run/source.h"

namespace everyitem::run {

/// Both as they were described, before anything is claimed. What they were described with outlives
/// them.
struct RunEnds {
  std::unique_ptr<Source> source;
  std::unique_ptr<Destination> destination;
  std::optional<double> rate;  ///< read units per second of the run, for all who share it
};

/// Into how many parts a run is split.
struct PartsChoice {
  std::uint32_t parts = 0;
  Message notice;  ///< how many, and why
};

/// Describes both, which also shows that both exist. Throws Error.
Awaitable<RunEnds> describe_ends(const RunKinds& kinds, const ScanSettings& settings,
                                 RunServices& services);

/// Which run this is.
RunTerms terms_of(const RunEnds& ends, const ScanSettings& settings, const RunContext& context);

/// By the source's size and this machine's cores; where a run is shared, by its size alone.
PartsChoice choose_parts(const RunEnds& ends, const ScanSettings& settings);

/// The first lines of a run of which `items_before` items are done: from where, to where, how fast,
/// and how long that may take.
std::vector<Message> opening_notices(const RunEnds& ends, const ScanSettings& settings,
                                     std::uint64_t items_before);

}  // namespace everyitem::run
