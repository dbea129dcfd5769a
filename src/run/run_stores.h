// Where a run keeps what outlives the process: its checkpoint, what workers share, dead letters.
#pragma once

#include <memory>
#include <string>

#include "checkpoint/checkpoint_store.h"
#include "checkpoint/fleet_store.h"
#include "run/destination.h"
#include "run/run_services.h"
#include "run/scan_settings.h"
#include "run/source.h"
#include "sink/dead_letters.h"

namespace everyitem::run {

struct RunStores {
  std::unique_ptr<checkpoint::CheckpointStore> checkpoint;
  std::unique_ptr<checkpoint::FleetStore> fleet;  ///< null if one worker has all
};

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
/// source and destination; none if the destination does not keep items. Throws Error.
RunStores open_run_stores(const StoresContext& context);

/// Where the dead letters of a run go whose checkpoint is `store`: where --dead-letters says; into
/// the checkpoint's table; into a file next to the checkpoint's; or into one in the user's state
/// folder. Throws a usage error when there is no such folder.
DeadLettersLocation dead_letters_location(const StoresContext& context,
                                          const checkpoint::CheckpointStore& store);

/// For the run with this token. Throws Error.
std::unique_ptr<sink::DeadLetters> open_dead_letters(const DeadLettersLocation& location,
                                                     const StoresContext& context,
                                                     const std::string& token);

}  // namespace everyitem::run
