// The sources that a run can read and the destinations that it can fill.
#pragma once

#include <vector>

#include "run/destination.h"
#include "run/source.h"

namespace everyitem::run {

struct RunKinds {
  std::vector<SourceKind> sources;
  std::vector<DestinationKind> destinations;
};

/// All that there are: a line each.
RunKinds run_kinds();

/// The first kind whose settings are given. Throws std::logic_error if there is none: options/ asks
/// for one.
const SourceKind& source_kind(const RunKinds& kinds, const ScanSettings& settings);
const DestinationKind& destination_kind(const RunKinds& kinds, const ScanSettings& settings);

}  // namespace everyitem::run
