#include "run/run_kinds.h"

#include <algorithm>
#include <stdexcept>

#include "run/file_destination.h"
#include "run/kinesis_destination.h"
#include "run/table_source.h"

namespace everyitem::run {

RunKinds run_kinds() {
  return {.sources = {table_source()}, .destinations = {kinesis_destination(), file_destination()}};
}

namespace {

template <typename Kind>
const Kind& wanted(const std::vector<Kind>& kinds, const ScanSettings& settings) {
  const auto kind =
      std::ranges::find_if(kinds, [&](const Kind& each) { return each.is_wanted(settings); });
  if (kind == kinds.end()) {
    throw std::logic_error("a run without a source or a destination");
  }
  return *kind;
}

}  // namespace

const SourceKind& source_kind(const RunKinds& kinds, const ScanSettings& settings) {
  return wanted(kinds.sources, settings);
}

const DestinationKind& destination_kind(const RunKinds& kinds, const ScanSettings& settings) {
  return wanted(kinds.destinations, settings);
}

}  // namespace everyitem::run
