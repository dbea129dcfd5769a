// Where a run keeps what outlives the process: its checkpoint, and its dead letters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "run/destination.h"
#include "run/run_claim.h"
#include "run/run_services.h"
#include "run/run_terms.h"
#include "run/scan_settings.h"
#include "run/source.h"
#include "sink/dead_letters.h"

namespace everyitem::run {

/// What stores are opened from. All of it outlives them.
struct StoresContext {
  const ScanSettings& settings;
  const RunContext& context;
  RunServices& services;
  const Source& source;
  const Destination& destination;
  const Notice& notice;
};

/// Opens what --checkpoint names, or the default: a file in the user's state folder, named after
/// source and destination; none if the destination does not keep items. Throws Error. `rate`: read
/// units per second, of all who share the run.
std::unique_ptr<RunClaim> open_run(const StoresContext& context, RunTerms terms,
                                   std::optional<double> rate);

/// Where the dead letters of the run with `token` go that `claim` is of: where
/// --dead-letters says; into the checkpoint's table; or into a file of this run alone, next to the
/// checkpoint's or in the user's state folder. Throws a usage error when there is no such folder.
DeadLettersLocation dead_letters_location(const StoresContext& context, const RunClaim& claim,
                                          std::string_view token);

/// For the run with this token, which may take the place of another. Throws Error.
std::unique_ptr<sink::DeadLetters> open_dead_letters(const DeadLettersLocation& location,
                                                     const StoresContext& context,
                                                     const RunClaim& claim,
                                                     const std::string& token,
                                                     const std::string& replaced_token);

}  // namespace everyitem::run
