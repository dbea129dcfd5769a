// Where a run keeps what outlives the process: its checkpoint, what workers share, dead letters.
#pragma once

#include <memory>
#include <string>
#include <string_view>

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

/// Where the dead letters of the run with `token` go whose checkpoint is `store`: where
/// --dead-letters says; into the checkpoint's table; or into a file of this run alone, next to the
/// checkpoint's or in the user's state folder. Throws a usage error when there is no such folder.
DeadLettersLocation dead_letters_location(const StoresContext& context,
                                          const checkpoint::CheckpointStore& store,
                                          std::string_view token);

/// For the run with this token, which may take the place of another. Throws Error.
std::unique_ptr<sink::DeadLetters> open_dead_letters(const DeadLettersLocation& location,
                                                     const StoresContext& context,
                                                     const checkpoint::CheckpointStore& store,
                                                     const std::string& token,
                                                     const std::string& replaced_token);

}  // namespace everyitem::run
